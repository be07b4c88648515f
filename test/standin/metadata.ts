import { z } from 'zod'
import type { Binding } from '../../infra/component/bindings.ts'
import type { MigrationStep, Migrations } from '../../infra/component/migrations.ts'
import { ApiError, type Observability, type Script } from '../../infra/local/cloud/account.ts'

/** Bindings of the kinds that the program registers. Strict, because an unread field would escape the comparison. */
const ApiBinding = z.strictObject({
  name: z.string(),
  type: z.enum([
    'analytics_engine',
    'assets',
    'durable_object_namespace',
    'inherit',
    'json',
    'kv_namespace',
    'plain_text',
    'ratelimit',
    'secret_text',
  ]),
  namespace_id: z.string().exactOptional(),
  class_name: z.string().exactOptional(),
  text: z.string().exactOptional(),
  json: z.json().exactOptional(),
  simple: z.strictObject({ limit: z.number(), period: z.number() }).exactOptional(),
  dataset: z.string().exactOptional(),
})

const ApiStep = z.strictObject({
  new_classes: z.array(z.string()).exactOptional(),
  new_sqlite_classes: z.array(z.string()).exactOptional(),
  renamed_classes: z.array(z.strictObject({ from: z.string(), to: z.string() })).exactOptional(),
  deleted_classes: z.array(z.string()).exactOptional(),
})

const ApiMigrations = z.strictObject({
  old_tag: z.string().exactOptional(),
  new_tag: z.string(),
  steps: z.array(ApiStep),
})

/** Part of `observability` that the declaration has. */
const ApiObservability = z.object({
  enabled: z.boolean(),
  head_sampling_rate: z.number().exactOptional(),
  logs: z
    .object({
      enabled: z.boolean(),
      invocation_logs: z.boolean(),
      destinations: z.array(z.string()).exactOptional(),
    })
    .exactOptional(),
  traces: z
    .object({
      enabled: z.boolean().exactOptional(),
      head_sampling_rate: z.number().exactOptional(),
      destinations: z.array(z.string()).exactOptional(),
    })
    .exactOptional(),
})

/** Part `assets` of an upload's metadata. Strict, because an unread field would escape the tests. */
const ApiAssets = z.strictObject({
  jwt: z.string().exactOptional(),
  config: z
    .strictObject({
      _headers: z.string().exactOptional(),
      _redirects: z.string().exactOptional(),
      html_handling: z
        .enum(['auto-trailing-slash', 'force-trailing-slash', 'drop-trailing-slash', 'none'])
        .exactOptional(),
      not_found_handling: z.enum(['none', '404-page', 'single-page-application']).exactOptional(),
    })
    .exactOptional(),
})

/** Part `metadata` of an upload. */
export const Metadata = z.object({
  main_module: z.string(),
  bindings: z.array(ApiBinding).default([]),
  keep_bindings: z.array(z.string()).default([]),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  migrations: ApiMigrations.exactOptional(),
  observability: ApiObservability.exactOptional(),
  assets: ApiAssets.exactOptional(),
})

/** Settings of a script outside its versions. */
export const ScriptSettings = z.object({ observability: ApiObservability.exactOptional() })

type ApiBinding = z.infer<typeof ApiBinding>
export type ApiAssets = z.infer<typeof ApiAssets>
export type Metadata = z.infer<typeof Metadata>

/** Returns the bindings after an upload, sorted by name: its own, and those that it keeps of the deployed script. */
export function bindingsAfter(metadata: Metadata, deployed: Script | undefined): readonly Binding[] {
  const sent = metadata.bindings.map((binding) => toBinding(binding, deployed))
  const kept = (deployed?.bindings ?? []).filter(
    ({ name, type }) => metadata.keep_bindings.includes(type) && sent.every((other) => other.name !== name),
  )
  return [...sent, ...kept].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Formats a binding as the API does, without the secret. */
export function toApiBinding(binding: Binding, namespaceOf: (className: string) => string): object {
  const { name, type, namespaceId, className, text, json, simple, dataset } = binding
  return {
    name,
    type,
    ...(namespaceId !== undefined && { namespace_id: namespaceId }),
    ...(className !== undefined && { class_name: className, namespace_id: namespaceOf(className) }),
    ...(text !== undefined && type !== 'secret_text' && { text }),
    ...(json !== undefined && { json: JSON.parse(json) }),
    ...(simple && { simple }),
    ...(dataset !== undefined && { dataset }),
  }
}

export function toMigrations({ old_tag, new_tag, steps }: z.infer<typeof ApiMigrations>): Migrations {
  return { ...(old_tag && { oldTag: old_tag }), newTag: new_tag, steps: steps.map(toStep) }
}

export function toObservability(api: z.infer<typeof ApiObservability>): Observability {
  const { logs, traces, ...sampled } = api
  return {
    ...toSampling(sampled),
    ...(logs && { logs: { ...toSampling(logs), invocationLogs: logs.invocation_logs } }),
    ...(traces && { traces: toSampling(traces) }),
  }
}

/** Adds the settings that the API has by default to those of an upload. */
export function toApiObservability({ logs, traces, ...sampled }: Observability): object {
  return {
    ...toApiSampling(sampled),
    ...(logs && {
      logs: { ...toApiSampling(logs), invocation_logs: logs.invocationLogs, persist: true },
    }),
    ...(traces && {
      traces: { ...toApiSampling(traces), persist: true, propagation_policy: 'authenticated' },
    }),
  }
}

interface ApiSampling {
  readonly enabled?: boolean
  readonly head_sampling_rate?: number
  readonly destinations?: readonly string[]
}

function toSampling({ enabled = false, head_sampling_rate: headSamplingRate, destinations }: ApiSampling) {
  return {
    enabled,
    ...(headSamplingRate !== undefined && { headSamplingRate }),
    ...(destinations && { destinations }),
  }
}

function toApiSampling({ enabled, headSamplingRate, destinations }: NonNullable<Observability['traces']>) {
  return {
    enabled,
    ...(headSamplingRate !== undefined && { head_sampling_rate: headSamplingRate }),
    ...(destinations && { destinations }),
  }
}

function toBinding(binding: ApiBinding, deployed: Script | undefined): Binding {
  const { name, type, namespace_id, class_name, text, json, simple, dataset } = binding
  if (type === 'inherit') return inherited(name, deployed)
  return {
    name,
    type,
    ...(namespace_id !== undefined && { namespaceId: namespace_id }),
    ...(class_name !== undefined && { className: class_name }),
    ...(text !== undefined && { text }),
    // wrangler sends the JSON value itself, the provider sends its text.
    ...(json !== undefined && { json: typeof json === 'string' ? json : JSON.stringify(json) }),
    ...(simple && { simple }),
    ...(dataset !== undefined && { dataset }),
  }
}

function inherited(name: string, deployed: Script | undefined): Binding {
  const binding = deployed?.bindings.find((other) => other.name === name)
  if (!binding) throw new ApiError(400, 10021, `binding ${name}: there is none to inherit`)
  return binding
}

function toStep(step: z.infer<typeof ApiStep>): MigrationStep {
  const { new_classes, new_sqlite_classes, renamed_classes, deleted_classes } = step
  return {
    ...(new_classes && { newClasses: new_classes }),
    ...(new_sqlite_classes && { newSqliteClasses: new_sqlite_classes }),
    ...(renamed_classes && { renamedClasses: renamed_classes }),
    ...(deleted_classes && { deletedClasses: deleted_classes }),
  }
}
