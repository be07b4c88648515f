import { WorkersScript, type WorkersScriptArgs } from '@pulumi/cloudflare'
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  output,
  secret,
  unsecret,
} from '@pulumi/pulumi'
import type { Binding } from '../program/bindings.ts'
import type { Bundle } from '../program/bundle.ts'
import type { Declaration } from '../program/declaration.ts'
import { digestOf } from '../program/digest.ts'
import {
  type DeployedScript,
  isUntouched,
  type Migrations,
  pendingMigrations,
  type Release,
} from '../program/migrations.ts'

type ScriptRelease = Pick<Release, 'digest' | 'migrations' | 'modifiedOn' | 'from'>

export interface SyncWorkerArgs {
  readonly accountId: string
  readonly scriptName: string
  readonly declaration: Declaration
  readonly bundle: Bundle
  /** Sorted by name. */
  readonly bindings: readonly Binding[]
  /** The share of requests whose logs are kept, 0 to 1. */
  readonly logSampling: number
  /** Whether the platform may run the Worker near the data instead of near the caller. */
  readonly smartPlacement: boolean
  readonly protect: boolean
  /** The script as the account has it now. */
  readonly deployed: DeployedScript | undefined
  /** The record of the last successful `up`. */
  readonly release: Release | undefined
}

/** The script with its Durable Object classes: code, bindings, secrets and migrations in one upload. */
export class SyncWorker extends ComponentResource {
  readonly scriptName: Output<string>
  /** The facts that the next `up` must know about this one; see program/migrations.ts. */
  readonly release: { readonly [Key in keyof ScriptRelease]: Input<ScriptRelease[Key]> }

  constructor(name: string, args: SyncWorkerArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:SyncWorker', name, {}, options)
    const { declaration, bundle } = args
    const inputs = {
      accountId: args.accountId,
      scriptName: args.scriptName,
      mainModule: 'worker.js',
      contentFile: bundle.contentFile,
      contentSha256: bundle.contentSha256,
      compatibilityDate: declaration.compatibility_date,
      compatibilityFlags: declaration.compatibility_flags,
      bindings: [...args.bindings],
      observability: observabilityOf(args),
      logpush: false,
      usageModel: 'standard',
      ...(args.smartPlacement && { placement: { mode: 'smart' } }),
      // The API deletes a script with Durable Objects only if forced. Only stacks that may be thrown away force it.
      ...(!args.protect && { force: true }),
    }
    const digest = output(inputs).apply(digestOf)
    const { migrations, from } = migrationsOf(args, digest)
    const script = new WorkersScript(
      `${name}-script`,
      { ...inputs, migrations },
      { parent: this, protect: args.protect, retainOnDelete: args.protect },
    )
    this.scriptName = script.scriptName
    this.release = { digest: secret(digest), migrations, from, modifiedOn: script.modifiedOn }
    this.registerOutputs({ scriptName: this.scriptName })
  }
}

/** Samples the Worker's own log lines. The declaration decides about the platform's line for each invocation. */
function observabilityOf({ declaration, logSampling }: SyncWorkerArgs): WorkersScriptArgs['observability'] {
  const { enabled, logs } = declaration.observability
  return {
    enabled,
    headSamplingRate: logSampling,
    logs: { enabled: logs.enabled, invocationLogs: logs.invocation_logs },
  }
}

interface ChosenMigrations {
  readonly migrations: Output<Migrations | undefined>
  /** The tag that the deployed script has, or had when the same migrations were chosen before. */
  readonly from: Output<string>
}

/** Chooses the migrations before any resource is registered. Only the digest may depend on values that come later. */
function migrationsOf(
  { declaration, deployed, release }: SyncWorkerArgs,
  digest: Output<string>,
): ChosenMigrations {
  const pending = pendingMigrations(declaration.migrations, deployed)
  const from = deployed?.migrationTag ?? ''
  if (pending || !deployed || !release) return { migrations: output(pending), from: output(from) }
  // The digest covers secrets, but whether it changed is not itself secret.
  const kept = unsecret(digest.apply((now) => (isUntouched(release, now, deployed) ? release : undefined)))
  return {
    migrations: kept.apply((release) => release?.migrations),
    from: kept.apply((release) => release?.from ?? from),
  }
}
