import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** Whether the packages of examples/notes are installed. */
export function hasNotesExample(lacking: string): boolean {
  const isInstalled = existsSync(join(ROOT, 'examples/notes/node_modules'))
  if (!isInstalled)
    console.warn(`SKIPPED: ${lacking}. Install it: node infra/local/install.mjs examples/notes`)
  return isInstalled
}

export interface Example {
  readonly child: ChildProcess
  /** The output, once the app is served, or the program has ended. */
  readonly printed: Promise<string>
}

/** Runs `npm run example`, without npm. `data` is a folder for the data of the service. */
export function startExample(data: string, port: number, servicePort: number): Example {
  const args = ['--port', `${port}`, '--service-port', `${servicePort}`, '--data', data]
  const child = spawn(process.execPath, ['examples/notes/start.ts', ...args], { cwd: ROOT, stdio: 'pipe' })
  const printed = new Promise<string>((resolve) => {
    let text = ''
    const add = (part: Buffer) => {
      text += part
      if (text.includes('Ctrl-C')) resolve(text)
    }
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    child.once('close', () => resolve(text))
  })
  return { child, printed }
}
