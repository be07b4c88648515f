import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { StackOptions } from '../../cli/options.ts'
import type { PulumiCli } from '../../cli/pulumi-cli.ts'
import { ROOT } from '../../cli/root.ts'
import { stackFile } from '../../cli/stack-file.ts'
import { UserError } from '../../cli/user-error.ts'
import { readEvents } from './engine-events.ts'
import type { Plan } from './plan.ts'

/**
 * The plan of the CLI. One run gives both the text for people and the log of the engine's events, which has the old and
 * the new state of every resource, and the policies. Pulumi's automation API asks for the log in the same way.
 */
export async function accountPlan(cli: PulumiCli, { stack, config }: StackOptions): Promise<Plan> {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-preview-'))
  const log = join(folder, 'events.jsonl')
  try {
    // The CLI saves the values of --config in the stack file, so it gets a copy.
    const copy = join(folder, stackFile(ROOT, stack))
    copyFileSync(join(ROOT, stackFile(ROOT, stack)), copy)
    const settings = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`])
    const chosen = ['--stack', stack, '--config-file', copy, '--policy-pack', 'infra/policy', ...settings]
    const shown = ['--diff', '--color', 'never', '--event-log', log, '--non-interactive']
    const { code, printed } = await run(cli, ['preview', ...shown, ...chosen])
    const events = readEvents(existsSync(log) ? readFileSync(log, 'utf8') : '')
    if (code === 0 && events.steps.length === 0) throw new UserError(NO_EVENTS)
    const details = stripVTControlCharacters(printed).trim()
    const isRefused =
      code !== 0 && events.errors.length === 0 && events.verdicts.every(({ result }) => result !== 'broken')
    const errors = isRefused ? [lastLine(details)] : events.errors
    return { ...events, stack, errors, details }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const NO_EVENTS =
  'the Pulumi CLI wrote no log of its events, from which the summary is made. Use the version that package.json pins, or read the engine itself: npx pulumi preview --diff'

interface Run {
  readonly code: number
  /** Both output streams, in their order. */
  readonly printed: string
}

async function run({ path, env }: PulumiCli, args: readonly string[]): Promise<Run> {
  const child = spawn(path, args, {
    cwd: ROOT,
    // The option --event-log exists only with this variable.
    env: { ...env, PULUMI_DEBUG_COMMANDS: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const [code] = await once(child, 'close')
  return { code: code ?? 1, printed }
}

function lastLine(text: string): string {
  return text.split('\n').findLast((line) => line.trim() !== '') ?? 'the CLI ended without a word'
}
