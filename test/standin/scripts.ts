import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import {
  ApiError,
  deleteScript,
  newId,
  type Script,
  scriptFile,
  switchWorkersDev,
  uploadScript,
} from '../../infra/local/cloud/account.ts'
import { assetsOf } from './assets.ts'
import type { Call, Cloud, ScriptUpload } from './call.ts'
import {
  bindingsAfter,
  Metadata,
  ScriptSettings,
  toApiBinding,
  toApiObservability,
  toMigrations,
  toObservability,
} from './metadata.ts'
import { checkOwnName } from './own-account.ts'

const Subdomain = z.object({ enabled: z.boolean() })
const Deployment = z.object({ versions: z.tuple([z.object({ version_id: z.string() })]) })

/** Startup time of every script, ms. The stand-in does not measure it. */
const STARTUP_MS = 1

export function listScripts({ cloud }: Call): unknown {
  return cloud.account.scripts.map((script) => ({
    ...describe(script),
    // Only the list has times without fractions of a second.
    created_on: toSecond(script.createdOn),
    modified_on: toSecond(script.modifiedOn),
  }))
}

export function putScript(call: Call): unknown {
  checkOwnName(call)
  return { ...describe(deploy(call.cloud, scriptName(call), uploadOf(call))), startup_time_ms: STARTUP_MS }
}

export function removeScript(call: Call): unknown {
  const { name } = findScript(call)
  deleteScript(call.cloud.account, call.cloud.folder, name, call.query.get('force') === 'true')
  return null
}

/** Returns a service, which is a script with its environments. Both clients read what is deployed from the service. */
export function showService(call: Call): unknown {
  const script = call.cloud.account.scripts.find(({ name }) => name === scriptName(call))
  if (!script) throw new ApiError(404, 10090, 'this service does not exist')
  return { id: script.name, default_environment: { environment: 'production', script: describe(script) } }
}

export function showSettings(call: Call): unknown {
  const script = findScript(call)
  const namespaceOf = (className: string) => shortHash(script.classes[className] ?? className)
  return {
    bindings: script.bindings.map((binding) => toApiBinding(binding, namespaceOf)),
    compatibility_date: script.compatibilityDate,
    compatibility_flags: script.compatibilityFlags,
    logpush: false,
    ...(script.observability && { observability: toApiObservability(script.observability) }),
    placement: {},
    tail_consumers: null,
    usage_model: 'standard',
  }
}

export function changeSettings(call: Call): unknown {
  const script = findScript(call)
  const { observability } = ScriptSettings.parse(call.body)
  const { account } = call.cloud
  const changed = { ...script, ...(observability && { observability: toObservability(observability) }) }
  account.scripts = account.scripts.map((other) => (other === script ? changed : other))
  return {}
}

export function showContent(call: Call): Response {
  const { name } = findScript(call)
  const form = new FormData()
  const code = new Uint8Array(readFileSync(scriptFile(call.cloud.folder, name)))
  form.set('worker.js', new File([code], 'worker.js', { type: 'application/javascript+module' }))
  return new Response(form)
}

export function listSecrets(call: Call): unknown {
  const secrets = findScript(call).bindings.filter(({ type }) => type === 'secret_text')
  return secrets.map(({ name, type }) => ({ name, type }))
}

export function createVersion(call: Call): unknown {
  const id = newId()
  findScript(call)
  const upload = uploadOf(call)
  call.cloud.versions.set(id, upload)
  const etag = createHash('sha256').update(upload.code).digest('hex')
  return { id, startup_time_ms: STARTUP_MS, resources: { script: { etag } } }
}

export function deployVersion(call: Call): unknown {
  const [{ version_id: id }] = Deployment.parse(call.body).versions
  const upload = call.cloud.versions.get(id)
  if (!upload) throw new ApiError(404, 10007, `there is no version ${id}`)
  deploy(call.cloud, findScript(call).name, upload)
  return { id: newId() }
}

export function listDeployments(call: Call): unknown {
  const { etag, modifiedOn } = findScript(call)
  const version = { version_id: shortHash(etag), percentage: 100 }
  const deployment = { id: shortHash(modifiedOn), source: 'api', strategy: 'percentage', versions: [version] }
  return { deployments: [{ ...deployment, created_on: modifiedOn }] }
}

export function showSubdomain(call: Call): unknown {
  // The program never enables previews, and the embedded account has none.
  return { enabled: findScript(call).workersDev, previews_enabled: false }
}

export function switchSubdomain(call: Call): unknown {
  switchWorkersDev(call.cloud.account, findScript(call).name, Subdomain.parse(call.body).enabled)
  return showSubdomain(call)
}

export function removeSubdomain(call: Call): unknown {
  switchWorkersDev(call.cloud.account, findScript(call).name, false)
  return showSubdomain(call)
}

/** Returns the beta view of a script. wrangler reads `subdomain` of it. */
export function showWorker(call: Call): unknown {
  return { id: shortHash(scriptName(call)), name: scriptName(call), subdomain: showSubdomain(call) }
}

function deploy({ account, folder, uploads }: Cloud, name: string, { metadata, code }: ScriptUpload): Script {
  const deployed = account.scripts.find((script) => script.name === name)
  const { migrations, observability, assets } = metadata
  const upload = {
    name,
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags,
    bindings: bindingsAfter(metadata, deployed),
    observability: observability && toObservability(observability),
  }
  const contents = { folder, code, assets: assets && assetsOf(uploads, assets) }
  return uploadScript(account, { ...upload, ...contents }, migrations && toMigrations(migrations))
}

function describe(script: Script): object {
  return {
    id: script.name,
    tag: shortHash(script.createdOn),
    tags: [],
    etag: script.etag,
    handlers: ['fetch'],
    has_assets: script.assets !== undefined,
    has_modules: true,
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    ...(script.migrationTag && { migration_tag: script.migrationTag }),
    deployment_id: shortHash(script.etag),
    last_deployed_from: 'wrangler',
    compatibility_date: script.compatibilityDate,
    compatibility_flags: script.compatibilityFlags,
    logpush: false,
    usage_model: 'standard',
  }
}

function scriptName({ params }: Call): string {
  return params.name ?? ''
}

function findScript(call: Call): Script {
  const script = call.cloud.account.scripts.find(({ name }) => name === scriptName(call))
  if (!script) throw new ApiError(404, 10007, 'this Worker does not exist on your account')
  return script
}

function uploadOf({ upload }: Call): ScriptUpload {
  if (!upload) throw new ApiError(400, 10021, 'an upload is a form with metadata and a module')
  return { metadata: Metadata.parse(upload.metadata), code: upload.code }
}

function toSecond(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
