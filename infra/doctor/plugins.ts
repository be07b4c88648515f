import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { installedVersion } from '../cli/installed-version.ts'
import type { CliAnswer, PulumiCli } from '../cli/pulumi-cli.ts'
import { type Finding, right, unknown, wrong } from './finding.ts'
import { parseJson } from './json-text.ts'

const PROVIDERS = ['cloudflare', 'random']

const Plugins = z.array(z.object({ name: z.string(), kind: z.string(), version: z.string() }))

interface Provider {
  readonly name: string
  /** Of its SDK: the engine asks for that very version. */
  readonly version: string
}

/** Whether the engine has the providers that the SDKs ask for; `answer` is of `plugin ls --json`. */
export function examinePlugins(root: string, cli: PulumiCli, answer: CliAnswer): readonly Finding[] {
  const plugins = answer.kind === 'answered' ? parseJson(answer.stdout, Plugins) : undefined
  if (!plugins) return [unknown('plugins', 'the CLI did not list them')]
  return PROVIDERS.map((name) => {
    const provider = { name, version: installedVersion(root, `@pulumi/${name}`) ?? '' }
    const ambient = folderWith(cli.env.PATH ?? '', `pulumi-resource-${name}`)
    if (ambient) return unknown(`plugin ${name}`, `the engine takes the one in ${ambient}, of any version`)
    const installed = plugins.filter((plugin) => plugin.kind === 'resource' && plugin.name === name)
    const versions = installed.map(({ version }) => version)
    return versions.includes(provider.version)
      ? right(`plugin ${name}`, `${provider.version}, as the SDK`)
      : missingPlugin(provider, versions, cli)
  })
}

/** No fault where the engine fetches it: it does, unless it is told not to. */
function missingPlugin({ name, version }: Provider, others: readonly string[], cli: PulumiCli): Finding {
  const only = others.length > 0 ? ` (only ${others.join(', ')})` : ''
  const found = `${version} is not installed${only}`
  const command = `${cli.command} plugin install resource ${name} ${version}`
  const isTold = /^(1|true)$/i.test(cli.env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION ?? '')
  if (isTold) return wrong(`plugin ${name}`, found, `Run: ${command}`)
  return unknown(`plugin ${name}`, `${found}: the deployment fetches it, as does ${command}`)
}

/** The engine prefers a plugin on the PATH to an installed one. */
function folderWith(path: string, file: string): string | undefined {
  return path.split(delimiter).find((folder) => folder !== '' && existsSync(join(folder, file)))
}
