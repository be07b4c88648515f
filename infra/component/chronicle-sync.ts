import { ComponentResource, type ComponentResourceOptions, type Output, output } from '@pulumi/pulumi'
import { type ChronicleSyncArgs, provision } from './provision.ts'
import type { Release } from './release.ts'

/**
 * A sync service: the script with its Durable Objects, the namespace, the secrets and the entry points. The name of the
 * component and the name of the stack together name the script, like `sync-prod`.
 */
export class ChronicleSync extends ComponentResource {
  /** The address of the service, without a path. */
  readonly url: Output<string>
  /** The address of its WebSocket. */
  readonly liveUrl: Output<string>
  readonly scriptName: Output<string>
  /** The version of the Worker, as `GET /api/health` reports it. */
  readonly version: Output<string>
  /** The id of the KV namespace. */
  readonly namespaceId: Output<string>
  /** The newest admin token, a secret. With it the operator creates and revokes tokens. */
  readonly adminToken: Output<string>
  /** The bindings of the script by name, without secrets. A preview shows a changed binding only here. */
  readonly bindings: Output<Readonly<Record<string, string>>>
  /** The static assets by path, each with the start of its digest. A preview shows a changed file only here. */
  readonly assets: Output<Readonly<Record<string, string>>>
  /** The record of this `up`, a secret, which the next `up` and the policies read. */
  readonly release: Output<Release>

  /** The program fails with a RunError, a line for every mistake, if the arguments are wrong or would lose data. */
  constructor(name: string, args: ChronicleSyncArgs, options?: ComponentResourceOptions) {
    // Registers no inputs: the engine keeps the outputs of a component, and with them the record, only if its inputs
    // are the same as in the last run.
    super('chronicle-sync:index:ChronicleSync', name, {}, options)
    const provisioned = provision(this, name, args).catch(throwUnchanged)
    this.url = output(provisioned.then(({ url }) => url))
    this.liveUrl = output(provisioned.then(({ liveUrl }) => liveUrl))
    this.scriptName = output(provisioned.then(({ scriptName }) => scriptName))
    this.version = output(provisioned.then(({ version }) => version))
    this.namespaceId = output(provisioned.then(({ namespaceId }) => namespaceId))
    this.adminToken = output(provisioned.then(({ adminToken }) => adminToken))
    this.bindings = output(provisioned.then(({ bindings }) => bindings))
    this.assets = output(provisioned.then(({ assets }) => assets))
    this.release = output(provisioned.then(({ release }) => release))
    // Registers each value by itself, because an output with one unknown value inside is unknown as a whole.
    this.registerOutputs(provisioned)
  }
}

/** Throws with a message that cannot change: for every output that fails, the SDK puts the output's name before it. */
function throwUnchanged(cause: unknown): never {
  if (cause instanceof Error) {
    const { message } = cause
    Object.defineProperty(cause, 'message', { get: () => message, set: () => {} })
  }
  throw cause
}
