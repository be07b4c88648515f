import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { installedVersion } from '../cli/installed-version.ts'
import { findPulumi, type PulumiCli, pinnedVersion } from '../cli/pulumi-cli.ts'
import { type Finding, missing, oneLine, right, unknown, wrong } from './finding.ts'

/** The packages that a bug report about a deployment should name. */
const PACKAGES = ['wrangler', '@pulumi/pulumi', '@pulumi/cloudflare', '@pulumi/random']

export interface VersionsOptions {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** Names the versions of Node, the SDKs and the Pulumi CLI, and checks that the CLI suits the SDK. */
export async function examineVersions({ root, env, signal }: VersionsOptions): Promise<readonly Finding[]> {
  const cli = findPulumi(root, env)
  return [examinePackages(root), cli ? await examineCli(root, cli, signal) : missingCli(root, env)]
}

function examinePackages(root: string): Finding {
  const versions = PACKAGES.map((name) => ({ name, version: installedVersion(root, name) }))
  const missing = versions.find(({ version }) => version === undefined)
  if (missing) return wrong('packages', `${missing.name} is not installed`, 'Run: npm ci')
  const named = versions.map(({ name, version }) => `${name} ${version}`)
  return right('packages', [`Node ${process.version}`, ...named].join(', '))
}

function missingCli(root: string, env: NodeJS.ProcessEnv): Finding {
  const version = pinnedVersion(root, env)
  return missing('Pulumi CLI', 'not on the PATH, and not fetched yet', {
    thing: 'Pulumi CLI',
    remedy: `Run: npx pulumi version (fetches ${version} from get.pulumi.com, once)`,
  })
}

async function examineCli(root: string, { path, env }: PulumiCli, signal: AbortSignal): Promise<Finding> {
  const options = { cwd: root, signal, env: { ...env, PULUMI_SKIP_UPDATE_CHECK: 'true' } }
  try {
    const { stdout } = await promisify(execFile)(path, ['version'], options)
    return compareMajors(
      path,
      stdout.trim().replace(/^v/, ''),
      installedVersion(root, '@pulumi/pulumi') ?? '',
    )
  } catch (cause) {
    if (signal.aborted) return unknown('Pulumi CLI', `${path} did not answer in time`)
    return wrong('Pulumi CLI', `${path} fails (${reasonOf(cause)})`, 'Install it again')
  }
}

/** The first line that the CLI wrote to standard error, or why it could not be run. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return oneLine('stderr' in cause && cause.stderr ? String(cause.stderr) : cause.message)
}

function compareMajors(path: string, version: string, sdk: string): Finding {
  const found = `${version} at ${path}, for the SDK ${sdk}`
  if (majorOf(version) === majorOf(sdk)) return right('Pulumi CLI', found)
  return wrong('Pulumi CLI', found, `Install a CLI of major version ${majorOf(sdk)}`)
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? ''
}
