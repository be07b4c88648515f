import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { readJson, writePrivate, writePrivateJson } from '../../cli/private-file.ts'
import type { Binding } from '../../component/bindings.ts'
import type { Migrations } from '../../component/migrations.ts'
import { type AssetsConfig, storeAssets, type UploadedAssets } from './assets.ts'

/** The contents of the embedded cloud: the part of a Cloudflare account that the program touches. */
export interface Account {
  namespaces: { id: string; title: string }[]
  scripts: Script[]
  domains: { id: string; hostname: string; service: string }[]
  routes: (Route & { id: string })[]
  /** Zones have only names, which the REST calls need. */
  zones: { id: string; name: string }[]
  records: DnsRecord[]
}

/** A pattern like api.example.com/api/*, and the script that serves it. */
export interface Route {
  readonly pattern: string
  readonly script: string
}

export interface DnsRecord {
  readonly id: string
  readonly zoneId: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly proxied: boolean
  readonly ttl: number
}

export interface Script extends Upload {
  readonly createdOn: string
  readonly modifiedOn: string
  readonly etag: string
  readonly migrationTag: string
  /** Class names, with the keys under which the runtime stores their objects. */
  readonly classes: Readonly<Record<string, string>>
  readonly workersDev: boolean
  /** Present if the script has static assets. */
  readonly assets?: AssetsConfig
}

/** The metadata of an uploaded script. */
export interface Upload {
  readonly name: string
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  readonly bindings: readonly Binding[]
  readonly observability?: Observability | undefined
}

export interface Observability {
  readonly enabled: boolean
  /** The share of requests whose logs are kept, 0 to 1. The default is 1. */
  readonly headSamplingRate?: number | undefined
  readonly logs?:
    | {
        readonly enabled: boolean
        /** Whether the platform logs each invocation itself, with its URL and headers. */
        readonly invocationLogs: boolean
        readonly destinations?: readonly string[] | undefined
      }
    | undefined
  readonly traces?:
    | {
        readonly enabled?: boolean | undefined
        readonly headSamplingRate?: number | undefined
        readonly destinations?: readonly string[] | undefined
      }
    | undefined
}

/** A refusal with the status and code of the real API. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(`${message} (status ${status}, code ${code})`)
    this.status = status
    this.code = code
  }
}

export function loadAccount(folder: string): Account {
  const empty: Account = { namespaces: [], scripts: [], domains: [], routes: [], zones: [], records: [] }
  return { ...empty, ...readJson<Account>(join(folder, 'account.json'), STATE_REMEDY) }
}

export function saveAccount(folder: string, account: Account): void {
  writePrivateJson(join(folder, 'account.json'), account)
}

/** The remedy for a lost or broken account or state of a local stack. */
export const STATE_REMEDY =
  'Put back a copy of its folder. Without a copy, delete the folder: all data and secrets of the stack on this machine are in it, and go with it'

/** The path of a script's uploaded code. */
export function scriptFile(folder: string, name: string): string {
  return join(folder, 'scripts', `${name}.js`)
}

export function createNamespace(account: Account, title: string): string {
  if (account.namespaces.some((namespace) => namespace.title === title)) {
    throw new ApiError(400, 10014, `a namespace with the title "${title}" already exists`)
  }
  const id = newId()
  account.namespaces.push({ id, title })
  return id
}

/** The contents of an upload, and the folder that keeps them. */
export interface Contents {
  readonly folder: string
  readonly code: Uint8Array
  /** Without them, the script loses those that it has. */
  readonly assets?: UploadedAssets | undefined
}

/** Creates or replaces a script. Code, assets, bindings and migrations take effect together or not at all. */
export function uploadScript(
  account: Account,
  upload: Upload & Contents,
  migrations: Migrations | undefined,
): Script {
  const { folder, code, assets, ...metadata } = upload
  const deployed = account.scripts.find(({ name }) => name === upload.name)
  const classes = applyMigrations(deployed, upload.name, migrations)
  checkExports(code, classes)
  for (const binding of upload.bindings) checkBinding(account, { classes, assets }, binding)
  const now = new Date().toISOString()
  const script: Script = {
    ...metadata,
    createdOn: deployed?.createdOn ?? now,
    modifiedOn: now,
    etag: createHash('sha256').update(code).digest('hex'),
    migrationTag: migrations?.newTag ?? deployed?.migrationTag ?? '',
    classes,
    workersDev: deployed?.workersDev ?? false,
    ...(assets && { assets: assets.config }),
  }
  storeAssets(folder, upload.name, assets)
  writePrivate(scriptFile(folder, upload.name), code)
  account.scripts = [...account.scripts.filter((other) => other !== deployed), script]
  return script
}

/** Deletes a script with the data of its objects. Like the API, refuses to delete objects unless forced. */
export function deleteScript(account: Account, folder: string, name: string, force: boolean): void {
  const script = account.scripts.find((script) => script.name === name)
  if (script && Object.keys(script.classes).length > 0 && !force) {
    throw new ApiError(400, 10064, `the script ${name} has Durable Objects, and force is not set`)
  }
  account.scripts = account.scripts.filter((script) => script.name !== name)
  rmSync(scriptFile(folder, name), { force: true })
  storeAssets(folder, name, undefined)
}

export function switchWorkersDev(account: Account, name: string, enabled: boolean): void {
  const script = account.scripts.find((script) => script.name === name)
  if (!script) throw new ApiError(404, 10007, `there is no script "${name}"`)
  account.scripts = account.scripts.map((other) =>
    other === script ? { ...script, workersDev: enabled } : other,
  )
}

export function createDomain(account: Account, hostname: string, service: string): string {
  if (account.domains.some((domain) => domain.hostname === hostname)) {
    throw new ApiError(409, 100116, `the hostname ${hostname} is already taken`)
  }
  const id = newId()
  account.domains.push({ id, hostname, service })
  return id
}

export function createRoute(account: Account, { pattern, script }: Route): string {
  if (account.routes.some((route) => route.pattern === pattern)) {
    throw new ApiError(409, 10020, `a route with the pattern ${pattern} already exists`)
  }
  const id = newId()
  account.routes.push({ id, pattern, script })
  return id
}

export function updateRoute(account: Account, id: string, { pattern, script }: Route): void {
  account.routes = account.routes.map((route) => (route.id === id ? { id, pattern, script } : route))
}

export function newId(): string {
  return randomBytes(16).toString('hex')
}

function applyMigrations(
  deployed: Script | undefined,
  scriptName: string,
  migrations: Migrations | undefined,
): Record<string, string> {
  const classes = { ...deployed?.classes }
  if (!migrations) return classes
  const tag = deployed?.migrationTag ?? ''
  if ((migrations.oldTag ?? '') !== tag) {
    throw new ApiError(
      412,
      10079,
      `migration tag precondition failed: expected "${tag}", got "${migrations.oldTag ?? ''}"`,
    )
  }
  for (const step of migrations.steps) {
    for (const name of [...(step.newSqliteClasses ?? []), ...(step.newClasses ?? [])]) {
      if (classes[name]) throw new ApiError(412, 10074, `cannot create the class ${name}: it already exists`)
      classes[name] = `${scriptName}-${name}-${newId()}`
    }
    for (const { from, to } of step.renamedClasses ?? []) {
      if (!classes[from]) throw new ApiError(400, 10061, `cannot rename the class ${from}: it does not exist`)
      classes[to] = classes[from]
      delete classes[from]
    }
    for (const name of step.deletedClasses ?? []) delete classes[name]
  }
  return classes
}

function checkExports(code: Uint8Array, classes: Readonly<Record<string, string>>): void {
  const stdin = { contents: Buffer.from(code).toString('utf8') }
  const { metafile } = buildSync({ stdin, format: 'esm', metafile: true, write: false, outfile: 'worker.js' })
  const exported = metafile.outputs['worker.js']?.exports ?? []
  const missing = Object.keys(classes).find((name) => !exported.includes(name))
  if (missing) {
    throw new ApiError(400, 10064, `the script does not export the class ${missing}, which has objects`)
  }
}

interface Bound {
  readonly classes: Readonly<Record<string, string>>
  readonly assets: UploadedAssets | undefined
}

function checkBinding(account: Account, { classes, assets }: Bound, binding: Binding): void {
  const { name, type } = binding
  if (type === 'assets' && !assets)
    throw new ApiError(400, 10021, `binding ${name}: an assets binding without assets`)
  if (type === 'durable_object_namespace' && !classes[binding.className ?? '']) {
    throw new ApiError(
      400,
      10061,
      `binding ${name}: no class ${binding.className} (does a migration create it?)`,
    )
  }
  if (type === 'kv_namespace' && !account.namespaces.some(({ id }) => id === binding.namespaceId)) {
    throw new ApiError(400, 10041, `binding ${name}: no KV namespace ${binding.namespaceId}`)
  }
  if (type === 'secret_text' && !binding.text)
    throw new ApiError(400, 10021, `binding ${name}: the secret is empty`)
}
