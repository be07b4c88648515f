import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

/** A text that a person waits for on the terminal, and the line typed then. */
export type Exchange = readonly [waitFor: RegExp, typed: string]

export interface TerminalOptions {
  readonly cwd: string
  /** The whole environment of the shell. */
  readonly env: Readonly<Record<string, string>>
}

/** The prompt of the shell, which no command prints. */
export const PROMPT = /ready> $/

/** A person types after the command has begun to read, which nothing on the terminal shows. */
const THINKING_MS = 200

/** The longest time in which nothing appears: the start of the CLI on a busy machine. */
const SILENCE_MS = 60_000

/**
 * Types into an interactive bash on a pseudo-terminal, and returns all that appears there. Fails with it if something
 * else appears than what the next line waits for.
 */
export function typeInTerminal(
  { cwd, env }: TerminalOptions,
  exchanges: readonly Exchange[],
): Promise<string> {
  const waiting = [...exchanges, [PROMPT, 'exit'] as const]
  const variables: readonly Readonly<Record<string, string>>[] = [env, { PS1: 'ready> ', TERM: 'xterm' }]
  const shellEnv: NodeJS.ProcessEnv = Object.assign({}, ...variables)
  const shell = ['-qefc', 'bash --noprofile --norc -i', '/dev/null']
  const child = spawn('script', shell, { cwd, env: shellEnv, stdio: 'pipe' })
  const silence = setTimeout(() => child.kill(), SILENCE_MS)
  let [shown, fresh] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => {
    silence.refresh()
    const text = stripVTControlCharacters(bytes.toString()).replaceAll('\r', '')
    shown += text
    fresh += text
    const [next] = waiting
    if (!next?.[0].test(fresh)) return
    waiting.shift()
    fresh = ''
    setTimeout(() => child.stdin.write(`${next[1]}\n`), THINKING_MS)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(silence)
      if (waiting.length === 0) resolve(shown)
      else reject(new Error(`still waiting for ${waiting[0]?.[0]} in:\n${shown}`))
    })
  })
}
