import { createInterface } from 'node:readline/promises'
import { UserError } from '../cli/user-error.ts'

/** The code with which a shell reports a command that Ctrl-C ended. */
const INTERRUPTED_CODE = 130

/** Decides which things a command may add: a person at a terminal, the option `--yes`, or nobody, as in CI. */
export interface Person {
  /** Nobody can answer a question. */
  readonly isAbsent: boolean
  confirm(question: string): Promise<boolean>
  /** Returns the answer without spaces around it; undefined if only a person could give one. */
  ask(question: string): Promise<string | undefined>
}

/** `--yes` agrees to everything that has one possible answer. In CI, what a run adds would be gone after it. */
export function findPerson(env: NodeJS.ProcessEnv, args: readonly string[]): Person {
  if (env.CI) return absent
  if (args.some((arg) => arg === '--yes' || arg === '-y'))
    return { ...absent, isAbsent: false, confirm: async () => true }
  // The CLI asks nothing on a dumb terminal either.
  return process.stdin.isTTY && process.stdout.isTTY && env.TERM !== 'dumb' ? atTerminal : absent
}

const absent: Person = {
  isAbsent: true,
  confirm: async () => false,
  ask: async () => undefined,
}

const atTerminal: Person = {
  isAbsent: false,
  async confirm(question) {
    return /^(|y|yes)$/i.test(await prompt(`${question} [Y/n] `))
  },
  ask: (question) => prompt(`${question} `),
}

/** Ctrl-C, and the end of the input, end the command, which has changed nothing that was not confirmed. */
async function prompt(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  terminal.on('SIGINT', () => process.exit(INTERRUPTED_CODE))
  try {
    return (await terminal.question(question)).trim()
  } catch (cause) {
    throw new UserError('the question was not answered', { cause })
  } finally {
    terminal.close()
  }
}
