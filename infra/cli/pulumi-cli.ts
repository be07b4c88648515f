import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, sep } from 'node:path'
import { installedVersion } from './installed-version.ts'
import { StartError } from './user-error.ts'

const EXECUTABLE = process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'

export interface PulumiCli {
  readonly path: string
  /** How a person calls it: that of the npm package is not on their PATH. */
  readonly command: 'npx pulumi' | 'pulumi'
  /** With the CLI's own folder first on the PATH, for the language hosts that lie in it. */
  readonly env: NodeJS.ProcessEnv
}

/** The version that the npm package `pulumi` would fetch, and caches. */
export function pinnedVersion(root: string, env: NodeJS.ProcessEnv): string | undefined {
  return env.PULUMI_VERSION || installedVersion(root, 'pulumi')
}

/**
 * The CLI that a deployment uses: the cached one of the pinned version, else one on the PATH; undefined
 * if there is none. Fetches nothing: the launcher of the npm package, which would, does not count.
 */
export function findPulumi(root: string, env: NodeJS.ProcessEnv): PulumiCli | undefined {
  const version = pinnedVersion(root, env)
  const home = env.PULUMI_HOME || join(homedir(), '.pulumi')
  const cached = version ? [join(home, 'versions', version, 'bin')] : []
  const folders = [...cached, ...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')]
  const folder = folders.find((each) => isCli(join(each, EXECUTABLE)))
  if (!folder) return undefined
  const path = join(folder, EXECUTABLE)
  const command = cached.includes(folder) ? 'npx pulumi' : 'pulumi'
  return { path, command, env: { ...env, PATH: [dirname(path), env.PATH].join(delimiter) } }
}

/** The CLI of `findPulumi`, or a StartError that says how to get it. */
export function requirePulumi(root: string, env: NodeJS.ProcessEnv): PulumiCli {
  const cli = findPulumi(root, env)
  if (cli) return cli
  throw new StartError(
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

/** What a run of the CLI gave. */
export type CliAnswer =
  | { readonly kind: 'answered'; readonly stdout: string }
  | { readonly kind: 'failed'; readonly stderr: string }
  | { readonly kind: 'late' }

export interface CliCall {
  readonly root: string
  readonly signal: AbortSignal
}

/** Runs the CLI without a terminal, so that it asks nothing, until the signal says that time is up. */
export function runPulumi(cli: PulumiCli, args: readonly string[], call: CliCall): Promise<CliAnswer> {
  const env = { ...cli.env, PULUMI_SKIP_UPDATE_CHECK: 'true', NO_COLOR: '1' }
  const options = { cwd: call.root, env, signal: call.signal, killSignal: 'SIGKILL' } as const
  return new Promise((resolve) => {
    const child = execFile(cli.path, [...args, '--non-interactive'], options, (error, stdout, stderr) => {
      if (!error) return resolve({ kind: 'answered', stdout })
      resolve(call.signal.aborted ? { kind: 'late' } : { kind: 'failed', stderr: stderr || error.message })
    })
    child.stdin?.end()
  })
}
