import { spawn } from 'node:child_process'

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

/**
 * Types into an interactive bash on a pseudo-terminal, and returns all that appears there. Fails with it if the shell
 * ends before everything was typed.
 */
export function typeInTerminal(
  { cwd, env }: TerminalOptions,
  exchanges: readonly Exchange[],
): Promise<string> {
  const waiting = [...exchanges, [PROMPT, 'exit'] as const]
  const shell = ['-qefc', 'bash --noprofile --norc -i', '/dev/null']
  const variables: readonly Readonly<Record<string, string>>[] = [env, { PS1: 'ready> ', TERM: 'dumb' }]
  const shellEnv: NodeJS.ProcessEnv = Object.assign({}, ...variables)
  const child = spawn('script', shell, { cwd, env: shellEnv, stdio: 'pipe' })
  let [shown, fresh] = ['', '']
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () =>
      waiting.length === 0
        ? resolve(shown)
        : reject(new Error(`still waiting for ${waiting[0]?.[0]} in:\n${shown}`)),
    )
    child.stdout.on('data', (bytes: Buffer) => {
      const text = bytes.toString().replaceAll('\r', '')
      shown += text
      fresh += text
      const [next] = waiting
      if (!next?.[0].test(fresh)) return
      waiting.shift()
      fresh = ''
      setTimeout(() => child.stdin.write(`${next[1]}\n`), THINKING_MS)
    })
  })
}
