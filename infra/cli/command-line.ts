import { parseArgs } from 'node:util'
import { answerHelp } from './help.ts'
import { lineOf, UserError } from './user-error.ts'

const interruption = new AbortController()

/** Aborted when a signal asks the tool to stop. */
export const INTERRUPTED: AbortSignal = interruption.signal

/** Clean-up that must run before the tool ends, even after an interruption. */
const cleanUps = new Set<() => Promise<void>>()

/** Runs `cleanUp` if the tool is interrupted. Call the returned function once the clean-up is no longer needed. */
export function onInterrupt(cleanUp: () => Promise<void>): () => void {
  cleanUps.add(cleanUp)
  return () => cleanUps.delete(cleanUp)
}

/** Runs a command, or prints its usage for `--help`. A UserError becomes one line and the exit code 1. */
export function runTool(usage: string, main: () => Promise<void>): void {
  answerHelp(process.argv.slice(2), usage)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  main().catch((error: unknown) => {
    process.exitCode = 1
    // Says nothing of errors that the interruption caused.
    if (INTERRUPTED.aborted) return
    console.error(lineOf(error))
  })
}

/** The code with which a shell reports a command that Ctrl-C ended. */
const INTERRUPTED_CODE = 130

/** npm forwards a signal that the terminal has already sent to all processes. Signals within this time count as one. */
const ECHO_MS = 1_000

let stoppedAt = 0

function stop(): void {
  if (INTERRUPTED.aborted) {
    if (Date.now() - stoppedAt > ECHO_MS) process.exit(INTERRUPTED_CODE)
    return
  }
  stoppedAt = Date.now()
  interruption.abort()
  if (cleanUps.size > 0)
    console.error('Stopping: revoking the token of this run first (press Ctrl-C again to end at once)')
  void Promise.allSettled([...cleanUps].map((cleanUp) => cleanUp())).then(() =>
    process.exit(INTERRUPTED_CODE),
  )
}

/** Reads exactly two arguments, with an optional `--again` among them. */
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
