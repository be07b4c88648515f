import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, sep } from 'node:path'
import { installedVersion } from './installed-version.ts'
import { UserError } from './user-error.ts'

const EXECUTABLE = process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'

export interface PulumiCli {
  readonly path: string
  /** Its own folder comes first on the PATH, because the language hosts are there. */
  readonly env: NodeJS.ProcessEnv
}

/** The version that the npm package `pulumi` fetches and caches. */
export function pinnedVersion(root: string, env: NodeJS.ProcessEnv): string | undefined {
  return env.PULUMI_VERSION || installedVersion(root, 'pulumi')
}

/**
 * Finds the CLI that a deployment uses: the cached one of the pinned version, or the first one on the PATH. Fetches
 * nothing, and skips the launcher of the npm package, which would.
 */
export function findPulumi(root: string, env: NodeJS.ProcessEnv): PulumiCli | undefined {
  const version = pinnedVersion(root, env)
  const home = env.PULUMI_HOME || join(homedir(), '.pulumi')
  const cached = version ? [join(home, 'versions', version, 'bin')] : []
  const folders = [...cached, ...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')]
  const folder = folders.find((each) => isCli(join(each, EXECUTABLE)))
  if (!folder) return undefined
  const path = join(folder, EXECUTABLE)
  return { path, env: { ...env, PATH: [dirname(path), env.PATH].join(delimiter) } }
}

/** Like `findPulumi`, but throws a UserError that says how to get the CLI. */
export function requirePulumi(root: string, env: NodeJS.ProcessEnv): PulumiCli {
  const cli = findPulumi(root, env)
  if (cli) return cli
  throw new UserError(
    `there is no Pulumi CLI. Run: npx pulumi version (fetches ${pinnedVersion(root, env)} from get.pulumi.com, once)`,
  )
}

function isCli(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile() && !realpathSync(path).includes(`node_modules${sep}pulumi${sep}`)
  } catch {
    return false
  }
}
