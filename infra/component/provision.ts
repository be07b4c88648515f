import { getStack, type Input, log, type Resource } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { checkArgs, isMistaken, type Mistake, type ServiceSettings, type Settings } from './args.ts'
import { type Artifact, readArtifact } from './artifact.ts'
import { type BindingValues, bindingsOf, shownBindings } from './bindings.ts'
import { deletedSince } from './classes.ts'
import { Credentials } from './credentials.ts'
import { readDeployedScript, readRelease, readSubdomain } from './deployed.ts'
import { Endpoint } from './endpoint.ts'
import { checkMasterKeys } from './master-keys.ts'
import { MetadataStore } from './metadata-store.ts'
import { hostName, type Names, physicalNames } from './names.ts'
import { changedSince, checkLayout, lostSince, type Release } from './release.ts'
import { registerScript } from './script.ts'

export interface ChronicleSyncArgs extends ServiceSettings {
  /** The version of the Worker to deploy. Defaults to the one in this package. */
  readonly artifact?: Artifact
}

/** The outputs of the component, as `ChronicleSync` documents them. */
export interface Provisioned {
  readonly url: string
  readonly liveUrl: string
  readonly scriptName: Input<string>
  readonly version: string
  readonly namespaceId: Input<string>
  readonly adminToken: Input<string>
  readonly bindings: Readonly<Record<string, Input<string>>>
  readonly assets: Readonly<Record<string, string>>
  readonly release: { readonly [Key in keyof Release]: Input<Release[Key]> }
}

/** Reads what is deployed, refuses what would lose data, and only then registers resources under the component. */
export async function provision(
  component: Resource,
  name: string,
  { artifact = readArtifact(), ...args }: ChronicleSyncArgs,
): Promise<Provisioned> {
  const settings = settingsOf(name, args)
  const names = physicalNames(name, getStack())
  const last = await readRelease(component, names.scriptName)
  const deployed = await readDeployedScript(component, settings.accountId, names.scriptName)
  const host = hostName(settings, names.scriptName) ?? (await workersDevHost(settings, names))
  const { accountId, protect, masterKeys, sweptMasterKey = 0 } = settings
  checkMasterKeys({ masterKeys, sweptMasterKey }, { last, isDeployed: deployed !== undefined })
  checkLayout(last, artifact.layout)
  const changed = last && changedSince(last, deployed, names.scriptName)
  if (changed !== undefined) await log.warn(changed)

  const child = { parent: component }
  const jurisdiction = settings.jurisdiction === 'none' ? undefined : settings.jurisdiction
  const store = new MetadataStore(
    name,
    { accountId, title: names.namespaceTitle, jurisdiction, protect },
    child,
  )
  const recordedMasterKeys = last?.masterKeys
  const credentials = new Credentials(name, { ...settings, sweptMasterKey, recordedMasterKeys }, child)
  const values = valuesOf(settings, { names, artifact, store, credentials })
  const bindings = bindingsOf(artifact.declaration, values, names.scriptName)
  const script = registerScript(
    `${name}-script`,
    { ...settings, scriptName: names.scriptName, artifact, bindings, deployed, release: last },
    component,
  )
  new Endpoint(name, { ...settings, scriptName: script.scriptName }, child)

  return {
    url: `https://${host}`,
    liveUrl: `wss://${host}/api/live`,
    scriptName: script.scriptName,
    version: artifact.version,
    namespaceId: store.namespaceId,
    adminToken: credentials.adminToken,
    bindings: shownBindings(bindings),
    assets: shownAssets(artifact),
    release: {
      ...script.release,
      jurisdiction: settings.jurisdiction,
      masterKeys,
      sweptMasterKey,
      layout: artifact.layout,
      scriptBytes: artifact.scriptBytes,
      lost: {
        ...lostSince(last, { ...settings, sweptMasterKey }),
        ...deletedSince(artifact.declaration.migrations, deployed?.migrationTag),
      },
    },
  }
}

/** The first digits of the digest of each file, for an output. A preview shows a changed file only here. */
function shownAssets({ assets }: Artifact): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(assets.files).map(([path, digest]) => [path, digest.slice(0, 12)]))
}

function settingsOf(name: string, args: object): Settings {
  const checked = checkArgs(args)
  if (!isMistaken(checked)) return checked
  throw new RunError(checked.map((mistake) => describe(name, mistake, args)).join('\n'))
}

function describe(name: string, { key, found, expected, example }: Mistake, args: object): string {
  const value = JSON.stringify(Object.entries(args).find(([given]) => given === key)?.[1])
  const line = `new ChronicleSync('${name}'): ${key} ${found ?? `is ${value}`}, expected ${expected}`
  return example ? `${line}, for example: ${example}` : line
}

async function workersDevHost({ accountId }: Settings, { scriptName }: Names): Promise<string> {
  return `${scriptName}.${await readSubdomain(accountId)}.workers.dev`
}

interface Parts {
  readonly names: Names
  readonly artifact: Artifact
  readonly store: MetadataStore
  readonly credentials: Credentials
}

/** The values of all names that the declaration lists. */
function valuesOf(settings: Settings, { names, artifact, store, credentials }: Parts): BindingValues {
  return {
    namespaces: { CHRONICLE_KV: store.namespaceId },
    secrets: {
      ADMIN_TOKEN: credentials.adminTokens,
      MASTER_KEY: credentials.masterKeys,
      SESSION_KEY: credentials.sessionKeys,
    },
    variables: {
      ENVIRONMENT: settings.environment,
      CORS_ORIGINS: [...settings.corsOrigins],
      JURISDICTION: settings.jurisdiction,
      ENTRY_NAMES: settings.keyNames,
      STACK: getStack(),
      VERSION: artifact.version,
    },
    datasets: { ANALYTICS: names.dataset },
    limitsPerMinute: {
      AUTH_LIMIT: settings.authRequestsPerMinute,
      FAILURE_LIMIT: settings.authFailuresPerMinute,
      SYNC_LIMIT: settings.syncRequestsPerMinute,
    },
  }
}
