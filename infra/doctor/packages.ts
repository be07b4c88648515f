import { z } from 'zod'
import { installedVersion, readJsonFile, versionAt } from '../cli/installed-version.ts'
import { type Finding, right, unknown, wrong } from './finding.ts'
import { isInRange } from './version-range.ts'

/** The packages whose versions a deployment is talked about by. */
const NAMED = ['wrangler', '@pulumi/pulumi', '@pulumi/cloudflare', '@pulumi/random']
const OLDEST_NPM = '>=7'
const INSTALL = 'Run: npm ci'

const Locked = z.object({ version: z.string().optional(), optional: z.boolean().optional() })
const LockFile = z.object({ packages: z.record(z.string(), Locked) })
const Root = z.object({ engines: z.object({ node: z.string() }) })

/** Whether Node, npm and the installed packages are those that package.json and its lock file ask for. */
export function examinePackages(root: string, env: NodeJS.ProcessEnv): readonly Finding[] {
  return [examineNode(root), examineNpm(env), examineInstalled(root), nameVersions(root)]
}

function examineNode(root: string): Finding {
  const { engines } = Root.parse(readJsonFile(root, 'package.json'))
  const found = `${process.version}, package.json asks for ${engines.node}`
  if (isInRange(process.version, engines.node)) return right('Node', found)
  return wrong('Node', found, 'Install Node 24 from nodejs.org')
}

function examineNpm({ npm_config_user_agent: agent = '' }: NodeJS.ProcessEnv): Finding {
  const version = /^npm\/([\d.]+)/.exec(agent)?.[1]
  if (!version) return unknown('npm', 'not asked for its version: this was not started by npm run')
  if (isInRange(version, OLDEST_NPM)) return right('npm', version)
  return wrong('npm', `${version} cannot read the lock file`, 'Run: npm install --global npm')
}

function examineInstalled(root: string): Finding {
  const lock = LockFile.safeParse(readJsonFile(root, 'package-lock.json'))
  if (!lock.success)
    return wrong('packages', 'package-lock.json is not there', 'Run: git checkout package-lock.json')
  const locked = Object.entries(lock.data.packages).filter(([path]) => path !== '')
  const differing = locked.flatMap(([path, entry]) => difference(root, path, entry))
  const [first] = differing
  if (!first) return right('packages', `${locked.length} in package-lock.json, none installed differs`)
  const more = differing.length > 1 ? ` (and ${differing.length - 1} more)` : ''
  return wrong('packages', `${first}${more}`, INSTALL)
}

function difference(
  root: string,
  path: string,
  { version, optional }: z.infer<typeof Locked>,
): readonly string[] {
  const installed = versionAt(root, path)
  // npm leaves out the optional packages that are for another platform.
  if (installed === version || (!installed && optional)) return []
  const name = path.replace(/^.*node_modules\//, '')
  return [`${name} is ${installed ?? 'not installed'}, package-lock.json has ${version ?? 'none'}`]
}

function nameVersions(root: string): Finding {
  const versions = NAMED.map((name) => ({ name, version: installedVersion(root, name) }))
  const missing = versions.find(({ version }) => !version)
  if (missing) return wrong('SDKs', `${missing.name} is not installed`, INSTALL)
  return right('SDKs', versions.map(({ name, version }) => `${name} ${version}`).join(', '))
}
