// `npm run deploy`: runs the doctor, adds what is missing after asking, then runs `pulumi up` with the policies. Without
// the doctor, the provider would retry a dead API for three minutes without a word.
import { findPulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { type AccountOptions, findAccount, toApi } from '../doctor/account.ts'
import { doctorDeadline, examine, examineMachine, readStackFiles } from '../doctor/examination.ts'
import { type Finding, formatFinding, isMissing, isWrong, type Missing } from '../doctor/finding.ts'
import { accountOptions } from '../doctor/stack-account.ts'
import { createToken } from '../doctor/token-link.ts'
import { add } from '../setup/additions.ts'
import { findPerson, type Person } from '../setup/person.ts'
import { remedyFor } from '../setup/remedies.ts'
import { runUp } from '../setup/run-up.ts'
import type { Setup } from '../setup/setup.ts'

/** How long the program may take on a busy machine. The doctor alone is less patient. */
const REHEARSAL_MS = 120_000

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const started = await withAccount(stack, process.env)
  const person = findPerson(process.env, rest)
  const env = await prepare(stack, started, person)
  const cli = findPulumi(ROOT, env)
  if (!cli) throw new UserError(`${stack} was not deployed, because there is no Pulumi CLI`)
  const args = ['--stack', stack, '--policy-pack', 'infra/policy', ...rest]
  const { code, errors } = await runUp(cli, ROOT, args)
  const remedy =
    code === 0 ? undefined : remedyFor(errors, { stack, createToken: createToken(optionsOf(stack, env)) })
  if (remedy) console.error(`\n${remedy}`)
  process.exit(code)
}

/** Adds the account of the token to the environment if nothing names the account. */
async function withAccount(stack: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const options = optionsOf(stack, env)
  const id = options.accountId ? undefined : await findAccount(options)
  return id ? { ...env, CLOUDFLARE_ACCOUNT_ID: id } : env
}

function optionsOf(stack: string, env: NodeJS.ProcessEnv): AccountOptions {
  return {
    ...accountOptions(ROOT, readStackFiles(ROOT, stack).stack, env),
    signal: doctorDeadline(env, 0),
  }
}

/** Refuses what is wrong, and adds what is missing. Returns the environment of the deployment. */
async function prepare(stack: string, env: NodeJS.ProcessEnv, person: Person): Promise<NodeJS.ProcessEnv> {
  const findings = await examine({
    root: ROOT,
    stack,
    env,
    signal: doctorDeadline(env, 0),
    patience: AbortSignal.timeout(REHEARSAL_MS),
  })
  for (const finding of findings.filter(({ verdict }) => verdict !== 'right'))
    console.log(formatFinding(finding))
  if (findings.some(isWrong))
    throw new UserError(`${stack} was not deployed. Fix the lines above, or run pulumi up without the doctor`)
  if (!findings.some(isMissing)) return env
  if (person.isAbsent)
    throw new UserError(
      `${stack} was not deployed. Do what the lines above say, or run this on a terminal, which asks`,
    )
  return addAll({ root: ROOT, stack, env, person }, findings)
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
    next = nextThing(await examineMachine({ root, stack, env, signal: doctorDeadline(env, 0) }))
  }
  return env
}

function nextThing(findings: readonly Finding[]): Missing | undefined {
  return findings.filter(isMissing).find(({ thing }) => thing !== 'workers.dev name')
}

function accountOf({ stack, env }: Omit<Setup, 'account'>): Setup['account'] {
  const options = optionsOf(stack, env)
  const { token, accountId } = options
  return token && accountId ? { api: toApi(options, token), id: accountId } : undefined
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exit(1)
})
