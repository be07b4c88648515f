// `npm run deploy`: runs the doctor, adds what is missing after asking, says what would change, and runs `pulumi up` if
// something does. Without the doctor, the provider would retry a dead API for three minutes without a word.
import { answerHelp } from '../cli/help.ts'
import { type PulumiCli, requirePulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { createToken } from '../doctor/token-link.ts'
import { findPerson, type Person } from '../setup/person.ts'
import { prepare } from '../setup/prepare.ts'
import { remedyFor } from '../setup/remedies.ts'
import { runUp } from '../setup/run-up.ts'
import { stackAccount, withAccount } from '../setup/stack-account.ts'
import { accountPlan } from './preview/account-plan.ts'
import { formatText } from './preview/format.ts'
import { isRefused, isSettled } from './preview/plan.ts'
import { summarize } from './preview/summary.ts'

const USAGE = 'npm run deploy -- [--stack dev] [--yes] [options of pulumi up]'

const AGREEMENT = ['--yes', '-y']
/** With other options, the CLI makes its own preview, which knows them. */
const KNOWN = [...AGREEMENT, '--non-interactive']

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), USAGE)
  const { stack, rest } = takeStack(process.argv.slice(2))
  const found = await withAccount(ROOT, stack, process.env)
  const person = findPerson(process.env, rest)
  const isPreviewed = !rest.some((arg) => arg === '--skip-preview' || arg === '-f')
  const env = await prepare({ root: ROOT, stack, env: found, person, isPreviewed })
  if (found !== process.env) sayAccount(found)
  const cli = requirePulumi(ROOT, env)
  const args = ['--stack', stack, '--policy-pack', 'infra/policy']
  if (rest.some((arg) => !KNOWN.includes(arg))) return deploy(cli, stack, [...args, ...rest])
  const plan = await accountPlan(cli, { stack, config: {} })
  const summary = summarize(plan)
  console.log(formatText({ summary, details: plan.details, ownStack: undefined }))
  if (isRefused(plan)) return end(1, plan.details, { stack, env })
  if (isSettled(plan)) return
  if (!(await agrees(person, rest)))
    throw new UserError(`${stack} was not deployed, because nobody agreed. Answer yes, or pass --yes`)
  await deploy(cli, stack, [...args, '--yes', '--skip-preview'])
}

async function agrees(person: Person, args: readonly string[]): Promise<boolean> {
  return (
    args.some((arg) => AGREEMENT.includes(arg)) || (await person.ask('\nDeploy this? Type yes:')) === 'yes'
  )
}

async function deploy(cli: PulumiCli, stack: string, args: readonly string[]): Promise<void> {
  const { code, errors } = await runUp(cli, ROOT, args)
  end(code, errors, { stack, env: cli.env })
}

/** Ends with the code. A failure ends with what to do about it, if its remedy is known. */
function end(code: number, errors: string, { stack, env }: { stack: string; env: NodeJS.ProcessEnv }): never {
  const context = { stack, createToken: createToken(stackAccount(ROOT, stack, env)) }
  const remedy = code === 0 ? undefined : remedyFor(errors, context)
  if (remedy) console.error(`\n${remedy}`)
  process.exit(code)
}

/** Other commands do not ask the token for its account. */
function sayAccount({ CLOUDFLARE_ACCOUNT_ID: id }: NodeJS.ProcessEnv): void {
  console.log(`The account of the token is ${id}. Other commands need: export CLOUDFLARE_ACCOUNT_ID=${id}`)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exit(1)
})
