import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { z } from 'zod'
import { runCommand } from '../standin/command.ts'

/** Path of a Pulumi CLI with its providers, or the reason why there is no such CLI. */
export type Cli = { readonly path: string } | { readonly missing: string }

const Plugins = z.array(z.object({ name: z.string(), version: z.string() }))
const Package = z.object({ version: z.string() })
const PROVIDERS = ['cloudflare', 'random']

/**
 * PATH with the Node of this process, which runs the program. Leaves out node_modules/.bin, whose `pulumi` downloads
 * the CLI on its first call.
 */
export const CLI_PATH = [
  dirname(process.execPath),
  ...(process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules')),
].join(delimiter)

/** Looks for a CLI, and checks its version and its plugins. */
export async function findCli(): Promise<Cli> {
  const path = CLI_PATH.split(delimiter)
    .map((folder) => join(folder, 'pulumi'))
    .find(isExecutable)
  if (!path) return { missing: 'no Pulumi CLI on the PATH (node_modules/.bin does not count)' }
  const options = { cwd: '/', env: { PATH: CLI_PATH } }
  const version = await runCommand(path, ['version'], options)
  if (version.code !== 0) return { missing: `${path} version ended with code ${version.code}` }
  const listed = await runCommand(path, ['plugin', 'ls', '--json'], options)
  const installed = Plugins.parse(JSON.parse(listed.printed))
  const absent = PROVIDERS.map((name) => ({ name, version: sdkVersion(name) })).find(
    (wanted) => !installed.some(({ name, version }) => name === wanted.name && version === wanted.version),
  )
  return absent ? { missing: `${path} has no plugin ${absent.name} ${absent.version}` } : { path }
}

/** Returns the version of a provider's SDK. The engine requires a provider of exactly this version. */
function sdkVersion(provider: string): string {
  return Package.parse(createRequire(import.meta.url)(`@pulumi/${provider}/package.json`)).version
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
