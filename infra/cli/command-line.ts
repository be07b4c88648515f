import { parseArgs } from 'node:util'
import { UserError } from './user-error.ts'

const interruption = new AbortController()

/** Aborted when whoever runs the tool has asked it to stop. */
export const INTERRUPTED: AbortSignal = interruption.signal

/** What must be taken back before the tool ends, however it ends. */
const duties = new Set<() => Promise<void>>()

/** Has something done when the tool is interrupted, until the function that this returns is called. */
export function owe(duty: () => Promise<void>): () => void {
  duties.add(duty)
  return () => duties.delete(duty)
}

/** Runs a command to its end: what a person can put right is one line, and the exit code 1. */
export function runTool(main: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  main().catch((error: unknown) => {
    process.exitCode = 1
    // What was interrupted has nothing else to say.
    if (INTERRUPTED.aborted) return
    console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  })
}

/** As a shell reports a command that was ended by Ctrl-C. */
const INTERRUPTED_CODE = 130

/** npm passes on what the terminal has sent to all of its processes: two signals within this time are one, ms. */
const ECHO_MS = 1_000

let stoppedAt = 0

function stop(): void {
  if (INTERRUPTED.aborted) {
    if (Date.now() - stoppedAt > ECHO_MS) process.exit(INTERRUPTED_CODE)
    return
  }
  stoppedAt = Date.now()
  interruption.abort()
  if (duties.size > 0) console.error('Stopping: taking back its token first (Ctrl-C again ends it at once)')
  void Promise.allSettled([...duties].map((duty) => duty())).then(() => process.exit(INTERRUPTED_CODE))
}

/** Exactly two arguments, and `--again` among them or not. */
export function twoArguments(
  args: readonly string[],
  usage: string,
): readonly [one: string, two: string, again: boolean] {
  const { positionals, values } = parse(args, usage)
  const [one, two, ...more] = positionals
  if (one === undefined || two === undefined || more.length > 0) throw new UserError(`Usage: ${usage}`)
  return [one, two, values.again]
}

function parse(args: readonly string[], usage: string) {
  try {
    const options = { again: { type: 'boolean', default: false } } as const
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new UserError(`${reason}. Usage: ${usage}`)
  }
}
