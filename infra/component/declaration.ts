import { z } from 'zod'

const Renamed = z.strictObject({ from: z.string(), to: z.string() })

const Migration = z.strictObject({
  tag: z.string().min(1),
  new_classes: z.array(z.string()).optional(),
  new_sqlite_classes: z.array(z.string()).optional(),
  renamed_classes: z.array(Renamed).optional(),
  deleted_classes: z.array(z.string()).optional(),
})

const RateLimit = z.strictObject({
  name: z.string(),
  namespace_id: z.string(),
  simple: z.strictObject({ limit: z.int().positive(), period: z.union([z.literal(10), z.literal(60)]) }),
})

const Assets = z.strictObject({
  binding: z.string(),
  /** The folder for `wrangler dev` and the tests, relative to the folder of the declaration. */
  directory: z.string(),
  html_handling: z.enum(['auto-trailing-slash', 'force-trailing-slash', 'drop-trailing-slash', 'none']),
  not_found_handling: z.enum(['none', '404-page']),
})

/**
 * The needs of the Worker, as `worker/wrangler.toml` declares them. Strict: a section that this program does not deploy
 * is refused, so that `wrangler dev` never has a feature that the stacks lack.
 */
export const Declaration = z.strictObject({
  name: z.string().min(1),
  main: z.string().min(1),
  compatibility_date: z.iso.date(),
  compatibility_flags: z.array(z.string()).default([]),
  send_metrics: z.boolean().optional(),
  /** Absent in the releases whose script holds the OpenAPI document. */
  assets: Assets.optional(),
  vars: z.record(z.string(), z.json()).default({}),
  secrets: z.strictObject({ required: z.array(z.string()) }).default({ required: [] }),
  kv_namespaces: z.array(z.strictObject({ binding: z.string(), id: z.string() })).default([]),
  durable_objects: z
    .strictObject({ bindings: z.array(z.strictObject({ name: z.string(), class_name: z.string() })) })
    .default({ bindings: [] }),
  migrations: z.array(Migration).default([]),
  ratelimits: z.array(RateLimit).default([]),
  analytics_engine_datasets: z
    .array(z.strictObject({ binding: z.string(), dataset: z.string() }))
    .default([]),
  observability: z
    .strictObject({
      enabled: z.boolean(),
      head_sampling_rate: z.number().min(0).max(1).optional(),
      logs: z.strictObject({ enabled: z.boolean(), invocation_logs: z.boolean() }),
      /** Absent in the releases without traces. */
      traces: z
        .strictObject({ enabled: z.boolean(), head_sampling_rate: z.number().min(0).max(1).optional() })
        .optional(),
    })
    .default({ enabled: true, logs: { enabled: true, invocation_logs: false } }),
})

export type Declaration = Readonly<z.infer<typeof Declaration>>
export type DeclaredMigration = Readonly<z.infer<typeof Migration>>

/** The path of the declaration from the project's root, as messages name it. */
export const DECLARATION_FILE = 'worker/wrangler.toml'
