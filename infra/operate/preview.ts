// `npm run preview`: shows what the next deployment would change, and why. With a Cloudflare token in the environment
// the CLI asks the account. Without one, the program runs against the state that `npm start` left.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readOptions, type StackOptions } from '../cli/options.ts'
import { requirePulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { readStack, stackFile } from '../cli/stack-file.ts'
import { lineOf } from '../cli/user-error.ts'
import { changesBetween } from '../local/engine/diff.ts'
import { checkPolicies, type Violation } from '../local/engine/policies.ts'
import type { Properties } from '../local/engine/properties.ts'
import { preview, type UpResult } from '../local/engine/up.ts'
import {
  FORESEEN,
  formatChange,
  formatCounts,
  formatDetails,
  formatOutputs,
  formatTree,
} from '../local/print.ts'

const USAGE = 'npm run preview -- [--stack dev] [--config key=value]...'

/** Gives the CLI a copy of the stack file, because the CLI saves the values of `--config` in the file. */
function previewAccount({ stack, config }: StackOptions): number {
  const settings = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`])
  const { path, env } = requirePulumi(ROOT, process.env)
  const file = stackFile(ROOT, stack)
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-preview-'))
  const copy = join(folder, file)
  try {
    copyFileSync(join(ROOT, file), copy)
    const chosen = ['--stack', stack, '--config-file', copy, '--policy-pack', 'infra/policy']
    const args = ['preview', '--diff', ...chosen, ...settings]
    return spawnSync(path, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function previewHere({ stack: name, config }: StackOptions): Promise<number> {
  console.log(`Previewing the stack "${name}" on this machine: an estimate, no account is asked\n`)
  const stack = readStack(ROOT, name, config)
  const result = await preview({ root: ROOT, stack, folder: join(ROOT, '.local', name) })
  const violations = await checkPolicies(ROOT, result.resources)
  console.log(describe(result, violations))
  return violations.some(({ mandatory }) => mandatory) ? 1 : 0
}

function describe(result: UpResult, violations: readonly Violation[]): string {
  const { steps } = result
  const judged = violations.map(
    ({ policy, message, mandatory }) => `${mandatory ? 'Broken' : 'Open'}: ${policy}: ${message}`,
  )
  const parts = [formatTree(steps), formatDetails(steps), describeOutputs(result), judged.join('\n')]
  return [...parts.filter((part) => part !== ''), `Resources: ${formatCounts(steps, FORESEEN)}`].join('\n\n')
}

/** Shows all outputs the first time, and later only changed ones. Hides `release`, which only the next run reads. */
function describeOutputs({ before, outputs }: UpResult): string {
  const [old, now] = [before, outputs].map(({ release: _, ...shown }) => shown) as [Properties, Properties]
  if (Object.keys(old).length === 0) return `Outputs:\n${formatOutputs(now)}`
  const changes = changesBetween(old, now)
  if (changes.length === 0) return ''
  return ['Outputs:', ...changes.map((change) => `    ${formatChange(change)}`)].join('\n')
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), USAGE, {})
  const hasAccount = Boolean(process.env.CLOUDFLARE_API_TOKEN)
  process.exitCode = hasAccount ? previewAccount(options) : await previewHere(options)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exitCode = 1
})
