import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { z } from 'zod'
import { runCommand } from '../standin/command.ts'

/** Where the tests find a Pulumi CLI with its providers, or why they do not. */
export type Cli = { readonly path: string } | { readonly missing: string }

const Plugins = z.array(z.object({ name: z.string() }))
const PROVIDERS = ['cloudflare', 'random']

/**
 * The PATH without node_modules/.bin, whose `pulumi` only downloads the CLI when it is first called, and with
 * this process's own Node, which runs the program.
 */
export const CLI_PATH = [
  dirname(process.execPath),
  ...(process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules')),
].join(delimiter)

/** Asks the CLI, if there is one, for its version and its plugins. */
export async function findCli(): Promise<Cli> {
  const path = CLI_PATH.split(delimiter)
    .map((folder) => join(folder, 'pulumi'))
    .find(isExecutable)
  if (!path) return { missing: 'no Pulumi CLI on the PATH (node_modules/.bin does not count)' }
  const options = { cwd: '/', env: { PATH: CLI_PATH } }
  const version = await runCommand(path, ['version'], options)
  if (version.code !== 0) return { missing: `${path} version ended with code ${version.code}` }
  const listed = await runCommand(path, ['plugin', 'ls', '--json'], options)
  const installed = Plugins.parse(JSON.parse(listed.printed)).map(({ name }) => name)
  const absent = PROVIDERS.find((name) => !installed.includes(name))
  return absent ? { missing: `${path} has no plugin "${absent}": pulumi install` } : { path }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
