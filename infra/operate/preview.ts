// `npm run preview`: says what the next deployment would change, for users, data and cost. With a Cloudflare token in
// the environment the CLI asks the account. Without one, the program runs against the state that `npm start` left.

import { join } from 'node:path'
import { readOptions, type StackOptions } from '../cli/options.ts'
import { requirePulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { readStack } from '../cli/stack-file.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { checkPolicies } from '../local/engine/policies.ts'
import { preview } from '../local/engine/up.ts'
import { withAccount } from '../setup/stack-account.ts'
import { accountPlan } from './preview/account-plan.ts'
import { formatMarkdown, formatText } from './preview/format.ts'
import { localPlan } from './preview/local-plan.ts'
import { describeOwnStack } from './preview/own-stack.ts'
import { isRefused, type Plan } from './preview/plan.ts'
import { summarize } from './preview/summary.ts'

const USAGE =
  'npm run preview -- [--stack dev] [--config key=value]... [--format text|markdown] [--pull-request NUMBER]'

async function planHere({ stack: name, config }: StackOptions): Promise<Plan> {
  console.error(`Previewing the stack "${name}" on this machine: an estimate, no account is asked\n`)
  const stack = readStack(ROOT, name, config)
  const result = await preview({ root: ROOT, stack, folder: join(ROOT, '.local', name) })
  return localPlan(name, result, await checkPolicies(ROOT, result.resources))
}

async function planInAccount(options: StackOptions): Promise<Plan> {
  console.error(`Asking the account what would change in the stack "${options.stack}"\n`)
  const env = await withAccount(ROOT, options.stack, process.env)
  return accountPlan(requirePulumi(ROOT, env), options)
}

async function main(): Promise<void> {
  const { own, ...options } = readOptions(process.argv.slice(2), USAGE, {
    format: 'text',
    'pull-request': '',
  })
  if (!/^(text|markdown)$/.test(own.format))
    throw new UserError(`--format is "${own.format}". Usage: ${USAGE}`)
  const hasAccount = Boolean(process.env.CLOUDFLARE_API_TOKEN)
  const plan = hasAccount ? await planInAccount(options) : await planHere(options)
  const ownStack = hasAccount && own['pull-request'] ? describeOwnStack(own['pull-request']) : undefined
  const report = { summary: summarize(plan), details: plan.details, ownStack }
  console.log(own.format === 'markdown' ? formatMarkdown(plan.stack, report) : formatText(report))
  process.exitCode = isRefused(plan) ? 1 : 0
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exitCode = 1
})
