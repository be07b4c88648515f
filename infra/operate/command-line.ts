import { StartError } from '../local/start-error.ts'

/** Runs a command to its end: what a person can put right is one line, and the exit code 1. */
export function runTool(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof StartError ? `Error: ${error.message}` : error)
    process.exitCode = 1
  })
}

/** Exactly two arguments. */
export function twoArguments(usage: string): readonly [string, string] {
  const [one, two, ...more] = process.argv.slice(2)
  if (one === undefined || two === undefined || more.length > 0) throw new StartError(`Usage: ${usage}`)
  return [one, two]
}
