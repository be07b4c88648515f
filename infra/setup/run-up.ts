import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PulumiCli } from '../cli/pulumi-cli.ts'
import { UserError } from '../cli/user-error.ts'
import { readEvents } from '../operate/preview/engine-events.ts'

export interface UpResult {
  readonly code: number
  /** The errors that the engine and the CLI reported. */
  readonly errors: string
}

/**
 * Runs `pulumi up`, which keeps the terminal. Errors of resources are read from the log of events that the CLI writes
 * for its Automation API, errors of the CLI itself from its standard error.
 */
export async function runUp(
  { path, env }: PulumiCli,
  root: string,
  args: readonly string[],
): Promise<UpResult> {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-deploy-'))
  const log = join(folder, 'events')
  try {
    const child = spawn(path, ['up', ...args, '--event-log', log], {
      cwd: root,
      // Makes --event-log known to the CLI.
      env: { ...env, PULUMI_DEBUG_COMMANDS: 'true' },
      stdio: ['inherit', 'inherit', 'pipe'],
    })
    // Ctrl-C also reaches the CLI, which ends the update in order. This process waits for it.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    let printed = ''
    child.stderr.on('data', (text: Buffer) => {
      process.stderr.write(text)
      printed += text
    })
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (error) => reject(new UserError(`${path} cannot be started: ${error.message}`)))
      child.on('close', (ended) => resolve(ended ?? 1))
    })
    return { code, errors: `${printed}\n${errorsIn(log)}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function errorsIn(log: string): string {
  try {
    return readEvents(readFileSync(log, 'utf8')).errors.join('\n')
  } catch {
    // A CLI that failed before the update wrote no events, and one that people chose may write others.
    return ''
  }
}
