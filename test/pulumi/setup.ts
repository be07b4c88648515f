import type { TestProject } from 'vitest/node'
import { type Cli, findCli } from './cli.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly cli: Cli
  }
}

/** Looks for the CLI once. Prints why it is missing, because skipped tests are easily overlooked. */
export default async function setup(project: TestProject): Promise<void> {
  const cli = await findCli()
  if ('missing' in cli) console.log(`The tests of the real Pulumi engine did not run: ${cli.missing}`)
  project.provide('cli', cli)
}
