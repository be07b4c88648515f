import { installedVersion } from '../cli/installed-version.ts'
import { type CliAnswer, findPulumi, type PulumiCli, pinnedVersion, runPulumi } from '../cli/pulumi-cli.ts'
import type { Sealing } from '../cli/stack-file.ts'
import { type Finding, right, unknown, wrong } from './finding.ts'
import { examinePassphrase, needsPassphrase } from './passphrase.ts'
import { examinePlugins } from './plugins.ts'
import { backendUrl, examineLogin, examineStack, reasonOf } from './state-backend.ts'

export interface PulumiCase {
  readonly root: string
  readonly stack: string
  readonly sealing: Sealing
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** Whether the CLI, its plugins, the state and the stack's secrets are ready. Changes and fetches nothing. */
export async function examinePulumi(subject: PulumiCase): Promise<readonly Finding[]> {
  const { root, env, stack, sealing } = subject
  const cli = findPulumi(root, env)
  if (!cli) return [missingCli(root, env)]
  const [version, plugins, identity, stacks, passphrase] = await Promise.all([
    runPulumi(cli, ['version'], subject),
    runPulumi(cli, ['plugin', 'ls', '--json'], subject),
    runPulumi(cli, ['whoami', '--json'], subject),
    runPulumi(cli, ['stack', 'ls', '--json'], subject),
    examinePassphrase(sealing, env),
  ])
  const url = backendUrl(identity)
  return [
    examineVersion(root, cli, version),
    ...examinePlugins(root, cli, plugins),
    examineLogin(cli, identity),
    ...(url ? [examineStack(cli, stack, stacks)] : []),
    ...(url && needsPassphrase(sealing, url) ? [passphrase] : []),
  ]
}

function missingCli(root: string, env: NodeJS.ProcessEnv): Finding {
  const found = 'not on the PATH, nor fetched before'
  const version = pinnedVersion(root, env)
  return wrong('Pulumi CLI', found, `Run: npx pulumi version (fetches ${version} from get.pulumi.com, once)`)
}

function examineVersion(root: string, { path }: PulumiCli, answer: CliAnswer): Finding {
  if (answer.kind === 'late') return unknown('Pulumi CLI', `${path} did not answer in time`)
  if (answer.kind === 'failed')
    return wrong('Pulumi CLI', `${path} fails (${reasonOf(answer.stderr)})`, 'Install it again')
  const version = answer.stdout.trim().replace(/^v/, '')
  const sdk = installedVersion(root, '@pulumi/pulumi') ?? ''
  const found = `${version} at ${path}, for the SDK ${sdk}`
  if (majorOf(version) === majorOf(sdk)) return right('Pulumi CLI', found)
  return wrong('Pulumi CLI', found, `Install a CLI of major version ${majorOf(sdk)}`)
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? ''
}
