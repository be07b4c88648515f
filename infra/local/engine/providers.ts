import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Binding } from '../../component/bindings.ts'
import type { Migrations } from '../../component/migrations.ts'
import { filesIn } from '../../program/assets.ts'
import {
  type Account,
  createDomain,
  createNamespace,
  createRoute,
  deleteScript,
  newId,
  type Observability,
  switchWorkersDev,
  updateRoute,
  uploadScript,
} from '../cloud/account.ts'
import type { AssetsConfig, UploadedAssets } from '../cloud/assets.ts'
import type { Properties } from './properties.ts'

/** The account that the providers change, its folder, and the folder of the program (for contentFile). */
export interface Cloud {
  readonly account: Account
  readonly folder: string
  readonly programFolder: string
}

export interface Created {
  readonly id: string
  readonly outputs: Properties
}

/** Does for one resource type on the embedded account what the real provider does. Inputs are in clear. */
export interface Provider {
  /** Inputs whose change replaces the resource. */
  readonly replaceOn: readonly string[]
  /** Outputs that an update changes, and that a preview therefore cannot know. */
  readonly computed?: readonly string[]
  readonly check?: (cloud: Cloud, inputs: Properties) => void
  readonly create: (cloud: Cloud, inputs: Properties) => Created
  readonly update?: (cloud: Cloud, inputs: Properties, id: string) => Properties
  readonly delete: (cloud: Cloud, id: string, inputs: Properties) => void
}

const BytesInputs = z.object({ length: z.int().min(1) })
const NamespaceInputs = z.object({ accountId: z.string(), title: z.string() })
const SubdomainInputs = z.object({ accountId: z.string(), scriptName: z.string(), enabled: z.boolean() })
const DomainInputs = z.object({ accountId: z.string(), hostname: z.string(), service: z.string() })
const RouteInputs = z.object({ zoneId: z.string(), pattern: z.string(), script: z.string() })
const Content = z.object({ contentFile: z.string(), contentSha256: z.string() })
const AssetsInputs = z.object({ directory: z.string(), config: z.custom<AssetsConfig>() })
const ScriptInputs = z.object({
  ...Content.shape,
  accountId: z.string(),
  scriptName: z.string(),
  compatibilityDate: z.string(),
  compatibilityFlags: z.array(z.string()).default([]),
  bindings: z.array(z.custom<Binding>()).default([]),
  observability: z.custom<Observability>().optional(),
  migrations: z.custom<Migrations>().optional(),
})

const randomBytesProvider: Provider = {
  replaceOn: ['length', 'keepers'],
  create(_cloud, inputs) {
    const bytes = randomBytes(BytesInputs.parse(inputs).length)
    return { id: 'none', outputs: { base64: bytes.toString('base64'), hex: bytes.toString('hex') } }
  },
  delete() {},
}

const namespaceProvider: Provider = {
  replaceOn: ['accountId', 'jurisdiction'],
  create({ account }, inputs) {
    return { id: createNamespace(account, NamespaceInputs.parse(inputs).title), outputs: {} }
  },
  delete({ account }, id) {
    account.namespaces = account.namespaces.filter((namespace) => namespace.id !== id)
  },
}

const scriptProvider: Provider = {
  replaceOn: ['accountId', 'scriptName'],
  computed: ['etag', 'modifiedOn', 'migrationTag'],
  check(cloud, inputs) {
    readContent(cloud, inputs)
    readAssets(cloud, inputs)
  },
  create(cloud, inputs) {
    return { id: ScriptInputs.parse(inputs).scriptName, outputs: upload(cloud, inputs) }
  },
  update: upload,
  delete({ account, folder }, id, inputs) {
    deleteScript(account, folder, id, inputs.force === true)
  },
}

const subdomainProvider: Provider = {
  replaceOn: ['accountId', 'scriptName'],
  create({ account }, inputs) {
    const { scriptName, enabled } = SubdomainInputs.parse(inputs)
    switchWorkersDev(account, scriptName, enabled)
    return { id: scriptName, outputs: {} }
  },
  update({ account }, inputs) {
    const { scriptName, enabled } = SubdomainInputs.parse(inputs)
    switchWorkersDev(account, scriptName, enabled)
    return {}
  },
  delete({ account }, id) {
    if (account.scripts.some(({ name }) => name === id)) switchWorkersDev(account, id, false)
  },
}

const domainProvider: Provider = {
  replaceOn: ['accountId', 'hostname', 'service', 'zoneId', 'environment'],
  create({ account }, inputs) {
    const { hostname, service } = DomainInputs.parse(inputs)
    return { id: createDomain(account, hostname, service), outputs: { zoneId: inputs.zoneId ?? newId() } }
  },
  delete({ account }, id) {
    account.domains = account.domains.filter((domain) => domain.id !== id)
  },
}

const routeProvider: Provider = {
  replaceOn: ['zoneId'],
  create({ account }, inputs) {
    return { id: createRoute(account, RouteInputs.parse(inputs)), outputs: {} }
  },
  update({ account }, inputs, id) {
    updateRoute(account, id, RouteInputs.parse(inputs))
    return {}
  },
  delete({ account }, id) {
    account.routes = account.routes.filter((route) => route.id !== id)
  },
}

/** Only stores the record, because this machine does not resolve names. */
const recordProvider: Provider = {
  replaceOn: ['zoneId', 'name', 'type'],
  create() {
    return { id: newId(), outputs: {} }
  },
  update() {
    return {}
  },
  delete() {},
}

/** The provider of every resource type that the program may register. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  'random:index/randomBytes:RandomBytes': randomBytesProvider,
  'cloudflare:index/workersKvNamespace:WorkersKvNamespace': namespaceProvider,
  'cloudflare:index/workersScript:WorkersScript': scriptProvider,
  'cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain': subdomainProvider,
  'cloudflare:index/workersCustomDomain:WorkersCustomDomain': domainProvider,
  'cloudflare:index/workersRoute:WorkersRoute': routeProvider,
  'cloudflare:index/dnsRecord:DnsRecord': recordProvider,
}

/** Answers the provider's data sources. */
export function invokeFunction({ account }: Cloud, token: string, args: Properties): Properties {
  if (token !== 'cloudflare:index/getWorkersScripts:getWorkersScripts') {
    throw new Error(`the embedded cloud has no ${token}. Add it to infra/local/engine/providers.ts`)
  }
  const results = account.scripts.map(({ name, etag, migrationTag, createdOn, modifiedOn }) => ({
    id: name,
    etag,
    createdOn: toSecond(createdOn),
    modifiedOn: toSecond(modifiedOn),
    migrationTag,
  }))
  return { ...args, results }
}

function upload(cloud: Cloud, inputs: Properties): Properties {
  const { scriptName, migrations, ...rest } = ScriptInputs.parse(inputs)
  const { compatibilityDate, compatibilityFlags, bindings, observability } = rest
  const code = readContent(cloud, inputs)
  const metadata = { name: scriptName, compatibilityDate, compatibilityFlags, bindings, observability }
  const contents = { folder: cloud.folder, code, assets: readAssets(cloud, inputs) }
  const script = uploadScript(cloud.account, { ...metadata, ...contents }, migrations)
  const { etag, createdOn, modifiedOn, migrationTag } = script
  return { etag, createdOn, modifiedOn, migrationTag }
}

function readContent({ programFolder }: Cloud, inputs: Properties): Uint8Array {
  const { contentFile, contentSha256 } = Content.parse(inputs)
  const code = readFileSync(resolve(programFolder, contentFile))
  const found = createHash('sha256').update(code).digest('hex')
  if (found === contentSha256) return code
  throw new Error(`contentSha256 is ${contentSha256}, but ${contentFile} has ${found}`)
}

/** Reads the folder at every preview and upload, as the provider does. */
function readAssets({ programFolder }: Cloud, { assets }: Properties): UploadedAssets | undefined {
  if (assets === undefined) return undefined
  const { directory, config } = AssetsInputs.parse(assets)
  return { config, files: filesIn(resolve(programFolder, directory)) }
}

/** Drops fractions of a second, which the real list does not have. */
function toSecond(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
