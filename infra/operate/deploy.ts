// `npm run deploy`: runs the doctor, adds what is missing after asking, then runs `pulumi up` with the policies. Without
// the doctor, the provider would retry a dead API for three minutes without a word.
import { answerHelp } from '../cli/help.ts'
import { requirePulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { lineOf } from '../cli/user-error.ts'
import { createToken } from '../doctor/token-link.ts'
import { findPerson } from '../setup/person.ts'
import { prepare } from '../setup/prepare.ts'
import { remedyFor } from '../setup/remedies.ts'
import { runUp } from '../setup/run-up.ts'
import { stackAccount, withAccount } from '../setup/stack-account.ts'

const USAGE = 'npm run deploy -- [--stack dev] [--yes] [options of pulumi up]'

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), USAGE)
  const { stack, rest } = takeStack(process.argv.slice(2))
  const found = await withAccount(ROOT, stack, process.env)
  const env = await prepare({
    root: ROOT,
    stack,
    env: found,
    person: findPerson(process.env, rest),
    isPreviewed: !rest.some((arg) => arg === '--skip-preview' || arg === '-f'),
  })
  if (found !== process.env) sayAccount(found)
  const args = ['--stack', stack, '--policy-pack', 'infra/policy', ...rest]
  const { code, errors } = await runUp(requirePulumi(ROOT, env), ROOT, args)
  if (code !== 0) explain(errors, stack, env)
  process.exit(code)
}

/** Other commands do not ask the token for its account. */
function sayAccount({ CLOUDFLARE_ACCOUNT_ID: id }: NodeJS.ProcessEnv): void {
  console.log(`The account of the token is ${id}. Other commands need: export CLOUDFLARE_ACCOUNT_ID=${id}`)
}

/** Ends the output with what to do about an error, if its remedy is known. */
function explain(errors: string, stack: string, env: NodeJS.ProcessEnv): void {
  const remedy = remedyFor(errors, { stack, createToken: createToken(stackAccount(ROOT, stack, env)) })
  if (remedy) console.error(`\n${remedy}`)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exit(1)
})
