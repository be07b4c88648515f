import { UserError } from '../cli/user-error.ts'
import { toApi } from '../doctor/account.ts'
import { doctorDeadline, examine, examineMachine } from '../doctor/examination.ts'
import { type Finding, formatFinding, isMissing, isWrong, type Missing } from '../doctor/finding.ts'
import { add } from './additions.ts'
import type { Setup } from './setup.ts'
import { stackAccount } from './stack-account.ts'

/** How long the program may take on a busy machine. The doctor alone is less patient. */
const REHEARSAL_MS = 120_000

export interface Preparation extends Omit<Setup, 'account'> {
  /** Whether the CLI will preview the deployment first. */
  readonly isPreviewed: boolean
}

/** Refuses what is wrong, and adds what is missing. Returns the environment of the deployment. */
export async function prepare(setup: Preparation): Promise<NodeJS.ProcessEnv> {
  const { root, stack, env, person, isPreviewed } = setup
  const findings = await examine({
    root,
    stack,
    env,
    signal: doctorDeadline(env),
    patience: AbortSignal.timeout(REHEARSAL_MS),
    isPreviewed,
  })
  for (const finding of findings.filter(({ verdict }) => verdict !== 'right'))
    console.log(formatFinding(finding))
  if (findings.some(isWrong))
    throw new UserError(
      `${stack} was not deployed. Fix the lines above, or run npx pulumi up without the doctor`,
    )
  if (!findings.some(isMissing)) return env
  if (person.isAbsent)
    throw new UserError(
      `${stack} was not deployed. Do what the lines above say, or run this on a terminal, which asks`,
    )
  return addAll(setup, findings)
}

/** Adds one thing after the other. Each thing on this machine may decide which one comes next. */
async function addAll(
  setup: Omit<Setup, 'account'>,
  findings: readonly Finding[],
): Promise<NodeJS.ProcessEnv> {
  const { root, stack } = setup
  const ofAccount = findings.filter(isMissing).find(({ thing }) => thing === 'workers.dev name')
  if (ofAccount) await add(ofAccount, { ...setup, account: accountOf(setup) })
  let { env } = setup
  let [last, next] = [undefined, nextThing(findings)] as [Missing | undefined, Missing | undefined]
  while (next) {
    if (next.thing === last?.thing) throw new UserError(`there is still no ${next.thing}: ${next.found}`)
    env = await add(next, { ...setup, env, account: undefined })
    last = next
    next = nextThing(await examineMachine({ root, stack, env, signal: doctorDeadline(env) }))
  }
  return env
}

function nextThing(findings: readonly Finding[]): Missing | undefined {
  return findings.filter(isMissing).find(({ thing }) => thing !== 'workers.dev name')
}

function accountOf({ root, stack, env }: Omit<Setup, 'account'>): Setup['account'] {
  const options = stackAccount(root, stack, env)
  const { token, accountId } = options
  return token && accountId ? { api: toApi(options, token), id: accountId } : undefined
}
