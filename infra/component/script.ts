import { createHash } from 'node:crypto'
// Imports single files of the provider, because its index loads all 700 of its modules.
import { WorkersScript, type WorkersScriptArgs } from '@pulumi/cloudflare/workersScript.js'
import { type Input, type Output, output, type Resource, secret, unsecret } from '@pulumi/pulumi'
import type { Artifact } from './artifact.ts'
import type { Binding } from './bindings.ts'
import { type DeployedScript, type Migrations, pendingMigrations } from './migrations.ts'
import { isUntouched, type Release } from './release.ts'

type ScriptRelease = Pick<Release, 'digest' | 'migrations' | 'modifiedOn' | 'from'>

export interface ScriptArgs {
  readonly accountId: string
  readonly scriptName: string
  readonly artifact: Artifact
  /** Sorted by name. */
  readonly bindings: readonly Binding[]
  /** The share of requests whose logs are kept, 0 to 1. */
  readonly logSampling: number
  readonly logDestinations: readonly string[]
  /** The share of requests that are traced, 0 to 1. */
  readonly traceSampling: number
  readonly traceDestinations: readonly string[]
  readonly protect: boolean
  /** The script as the account has it now. */
  readonly deployed: DeployedScript | undefined
  /** The record of the last successful `up`. */
  readonly release: Partial<Release> | undefined
}

export interface RegisteredScript {
  readonly scriptName: Output<string>
  /** The facts that the next `up` must know about this one; see release.ts. */
  readonly release: { readonly [Key in keyof ScriptRelease]: Input<ScriptRelease[Key]> }
}

/** Registers the script with its Durable Object classes: code, bindings, secrets and migrations in one upload. */
export function registerScript(name: string, args: ScriptArgs, parent: Resource): RegisteredScript {
  const { protect } = args
  const inputs = scriptInputs(args)
  // The inputs name only the folder of the assets. VERSION among the bindings changes with each file.
  const digest = output(inputs).apply(digestOf)
  const { migrations, from } = migrationsOf(args, digest)
  const script = new WorkersScript(
    name,
    { ...inputs, migrations },
    { parent, protect, retainOnDelete: protect },
  )
  return {
    scriptName: script.scriptName,
    release: { digest: secret(digest), migrations, from, modifiedOn: script.modifiedOn },
  }
}

/** Everything but the migrations, whose choice depends on the digest of these inputs. */
function scriptInputs(args: ScriptArgs) {
  const { declaration, contentFile, contentSha256 } = args.artifact
  return {
    accountId: args.accountId,
    scriptName: args.scriptName,
    mainModule: 'worker.js',
    contentFile,
    contentSha256,
    ...assetsOf(args.artifact),
    compatibilityDate: declaration.compatibility_date,
    compatibilityFlags: declaration.compatibility_flags,
    bindings: [...args.bindings],
    observability: observabilityOf(args),
    logpush: false,
    usageModel: 'standard',
    // The API deletes a script with Durable Objects only if forced. Only stacks that may be thrown away force it.
    ...(!args.protect && { force: true }),
  }
}

/**
 * The assets, if the declaration has any. The provider uploads every file of the folder. It does not know `_headers`
 * files, so the rules are a setting. `config` is always complete, and `runWorkerFirst` never set, because the provider
 * would see a change at every `up`.
 */
function assetsOf({ declaration, assets }: Artifact): Pick<WorkersScriptArgs, 'assets'> {
  if (!declaration.assets) return {}
  const { html_handling: htmlHandling, not_found_handling: notFoundHandling } = declaration.assets
  const config = { headers: assets.headers, htmlHandling, notFoundHandling }
  return { assets: { directory: assets.directory, config } }
}

/**
 * Samples the Worker's own log lines, and the traces. The declaration decides about the platform's line for each
 * invocation.
 */
function observabilityOf(args: ScriptArgs): WorkersScriptArgs['observability'] {
  const { enabled, logs, traces } = args.artifact.declaration.observability
  const { logSampling, logDestinations, traceSampling, traceDestinations } = args
  return {
    enabled,
    headSamplingRate: logSampling,
    logs: {
      enabled: logs.enabled,
      invocationLogs: logs.invocation_logs,
      ...destinationsOf(logDestinations),
    },
    ...(traces && {
      traces: {
        enabled: traces.enabled && traceSampling > 0,
        headSamplingRate: traceSampling,
        ...destinationsOf(traceDestinations),
      },
    }),
  }
}

/** Leaves the list out if it is empty. */
function destinationsOf(names: readonly string[]): { readonly destinations?: string[] } {
  return names.length > 0 ? { destinations: [...names] } : {}
}

interface ChosenMigrations {
  readonly migrations: Output<Migrations | undefined>
  /** The tag that the deployed script has, or had when the same migrations were chosen before. */
  readonly from: Output<string>
}

/** Chooses the migrations before any resource is registered. Only the digest may depend on values that come later. */
function migrationsOf({ artifact, deployed, release }: ScriptArgs, digest: Output<string>): ChosenMigrations {
  const pending = pendingMigrations(artifact.declaration.migrations, deployed)
  const from = deployed?.migrationTag ?? ''
  if (pending || !deployed || !release) return { migrations: output(pending), from: output(from) }
  // The digest covers secrets, but whether it changed is not itself secret.
  const kept = unsecret(digest.apply((now) => (isUntouched(release, now, deployed) ? release : undefined)))
  return {
    migrations: kept.apply((release) => release?.migrations),
    from: kept.apply((release) => release?.from ?? from),
  }
}

/** The SHA-256 of a JSON value, independent of the order of its keys. */
function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex')
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
