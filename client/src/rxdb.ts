import type { ReplicationOptions, RxCollection, RxReplicationWriteToMasterRow, WithDeleted } from 'rxdb'
import { type RxReplicationState, replicateRxCollection } from 'rxdb/plugins/replication'
import { Subject } from 'rxjs'
import { checkOptions } from './check-options.ts'
import { hostPlatform } from './device/host.ts'
import type { ChronicleOptions } from './device/options.ts'
import { remedyOf } from './replica/refusal.ts'
import { type Following, newService, type Service } from './service/service.ts'
import { problemIn } from './values/errors.ts'
import type { Conflict, FeedEntry, ResetReason, SyncReply } from './values/wire.ts'

export type { Service } from './service/service.ts'

export interface Checkpoint {
  readonly cursor: string
}

/** A document that the service refused for good. */
export interface Rejected<T> {
  readonly document: WithDeleted<T>
  readonly code: string
  /** The place of the fault, a JSON pointer. */
  readonly path: string | undefined
}

type Row<T> = RxReplicationWriteToMasterRow<T>

/** The part of an entry that makes a document. */
type Content = Pick<FeedEntry, 'key'> & { readonly value?: unknown; readonly deleted?: boolean }

type Passed =
  | 'collection'
  | 'live'
  | 'retryTime'
  | 'waitForLeadership'
  | 'autoStart'
  | 'toggleOnDocumentVisible'
type Modifier<T> = (document: WithDeleted<T>) => WithDeleted<T> | Promise<WithDeleted<T>>

/** Options of RxDB that are not described here have their meaning and defaults there. */
export interface ChronicleReplicationOptions<T> extends Pick<ReplicationOptions<T, Checkpoint>, Passed> {
  readonly service: Service
  /** The name of the collection in the space. Its policy must be `server-wins`. */
  readonly name: string
  /** The most documents of a request. 100 if absent. */
  readonly batchSize?: number
  /** Changes each document before it is sent. The same document must give the same result. */
  readonly push?: Modifier<T>
  /** Changes each document that comes from the service. */
  readonly pull?: Modifier<T>
  /** Is called with each document that the service refused. The document becomes again what the service has. */
  readonly onRejected?: (rejected: Rejected<T>) => void
  /**
   * The space was erased or set back (`epoch`, `head`). Documents that it no longer has stay here. To offer them to the
   * space again, call `remove()` of the replication, and replicate anew.
   */
  readonly onReset?: (reason: ResetReason) => void
}

/**
 * Opens the service for `replicateChronicle`: one for all collections of a database. RxDB has a copy and a queue of its
 * own, so nothing else is kept on the device. Use one database for each user.
 */
export function openService(options: Pick<ChronicleOptions, 'url' | 'token' | 'platform'>): Service {
  checkOptions(options)
  const platform = hostPlatform(options.platform)
  return newService({ ...options, platform, clientId: platform.newId() })
}

/**
 * Replicates a collection of RxDB with a collection of a space, by the replication of RxDB: its state, its errors
 * (`error$`) and its conflict handler. The handler decides only under the policy `server-wins`, where the service refuses
 * what is not based on the current version. Under any other policy a push that meets a conflict fails.
 *
 * The refusal of one document does not hold up others: see `onRejected`. Documents that a device missed the deletion of
 * are removed, unless they have changes that are not sent. Attachments are not replicated.
 */
export function replicateChronicle<T>(
  options: ChronicleReplicationOptions<T>,
): RxReplicationState<T, Checkpoint> {
  const { service, name, batchSize = 100, push, pull, onRejected, onReset, ...passed } = options
  const { collection, live = true } = passed
  if (collection.schema.jsonSchema.attachments && !push)
    throw new TypeError('attachments are not replicated: take them out in push()')
  const stream$ = new Subject<'RESYNC'>()
  let following: Following | undefined
  /** The position after an empty page, which RxDB does not keep, and the one before. */
  let ahead: { readonly from: string | null; readonly cursor: string } | undefined
  const remote = new Remote<T>(options)
  const state = replicateRxCollection<T, Checkpoint>({
    ...passed,
    replicationIdentifier: `${service.url}/${name}`,
    pull: {
      batchSize,
      async handler(checkpoint, limit) {
        const from = checkpoint?.cursor ?? null
        const start = ahead?.from === from ? ahead.cursor : from
        const { entries, cursor, reason } = await remote.pages(start, limit)
        const documents = await Promise.all(entries.map(remote.documentOf))
        if (reason === 'epoch' || reason === 'head') onReset?.(reason)
        else if (reason) documents.push(...(await missingIn(collection, documents)))
        ahead = documents.length === 0 ? { from, cursor } : undefined
        following?.seen(cursor)
        return { documents, checkpoint: { cursor } }
      },
      ...(live && { stream$ }),
    },
    push: { batchSize, handler: (rows) => remote.push(rows), ...(push && { modifier: push }) },
  })
  // In a tab that does not lead, the replication has not started.
  if (live)
    void state.startPromise.then(() => {
      if (state.isStopped()) return
      following = service.follow(name, () => stream$.next('RESYNC'))
      state.onCancel.push(following.stop)
    })
  return state
}

/** Lists local documents that are not among these, as deleted. RxDB passes over those with changes of their own. */
async function missingIn<T>(
  collection: RxCollection<T>,
  documents: readonly WithDeleted<T>[],
): Promise<WithDeleted<T>[]> {
  const primary = collection.schema.primaryPath as unknown as keyof T
  const found = new Set<unknown>(documents.map((document) => document[primary]))
  const local = await collection.find().exec()
  const values = local.map((document) => document.toMutableJSON() as T)
  return values.filter((own) => !found.has(own[primary])).map((own) => ({ ...own, _deleted: true }))
}

/** The collection of the space, with documents in place of entries. */
class Remote<T> {
  readonly #options: ChronicleReplicationOptions<T>
  readonly #primary: string
  /** Documents that the service refused, as they were, by their keys. */
  readonly #refused = new Map<string, string>()

  constructor(options: ChronicleReplicationOptions<T>) {
    this.#options = options
    this.#primary = options.collection.schema.primaryPath
  }

  /** Reads on from a cursor. RxDB takes a short page for the last one. */
  async pages(from: string | null, limit: number) {
    const collections = [this.#options.name]
    let cursor = from
    let entries: FeedEntry[] = []
    let reason: ResetReason | undefined
    // A reading from the start is one page, which shows what is gone.
    for (let more = true; more && (reason || entries.length < limit); ) {
      const rest = reason ? limit : limit - entries.length
      const page = await this.#exchange({ cursor, limit: rest, collections, changes: [] })
      if (page.reset) {
        if (cursor !== null) reason = page.resetReason ?? 'cursor'
        entries = []
      }
      entries.push(...page.changes)
      cursor = page.cursor ?? cursor
      more = page.more === true
    }
    return { entries, cursor: cursor ?? '', reason }
  }

  readonly documentOf = async ({ key, value, deleted = false }: Content): Promise<WithDeleted<T>> => {
    const found = value ?? { [this.#primary]: key.slice(this.#options.name.length + 1) }
    return this.#pulled({ ...(found as T), _deleted: deleted })
  }

  /** Sends rows: half of them at a time if they are too many, or if one spoils the request. */
  async push(rows: readonly Row<T>[]): Promise<WithDeleted<T>[]> {
    try {
      return await this.#send(rows)
    } catch (thrown) {
      const problem = problemIn(thrown)
      if (!problem || remedyOf(problem) !== 'split') throw thrown
      if (rows.length === 1) return Promise.all(rows.flatMap((row) => this.#reverted(row, problem.code)))
      const half = rows.length >> 1
      return [...(await this.push(rows.slice(0, half))), ...(await this.push(rows.slice(half)))]
    }
  }

  /** Returns what the service has in place of the rows that are not on it. */
  async #send(rows: readonly Row<T>[]): Promise<WithDeleted<T>[]> {
    const { name, service } = this.#options
    const clientTime = service.now()
    const changes = rows.map((row) => this.#changeOf(row, clientTime))
    // The clock of the device may be wrong: the service corrects the times by it (CL1).
    const { results, conflicts } = await this.#exchange({ clientTime, changes })
    const isMerged = results.some(({ status }) => status === 'merged')
    if (isMerged || conflicts.some(({ policy }) => policy !== 'server-wins'))
      throw new TypeError(`the policy of "${name}" must be server-wins`)
    const reverted = rows.flatMap((row, index) => {
      const result = results[index]
      return result?.status === 'rejected' ? this.#reverted(row, result.code, result.path) : []
    })
    return Promise.all([...conflicts.map((conflict) => this.#winnerOf(conflict)), ...reverted])
  }

  #changeOf({ newDocumentState, assumedMasterState }: Row<T>, timestamp: number) {
    const { _deleted: deleted, ...value } = newDocumentState
    const key = this.#keyOf(newDocumentState)
    const change = { key, value, timestamp, ...(deleted && { deleted }) }
    if (!assumedMasterState || assumedMasterState._deleted) return { ...change, baseDeleted: true }
    const { _deleted: _, ...baseValue } = assumedMasterState
    return { ...change, baseValue }
  }

  /** A conflict handler may insist on a refused document. It is not told again then, and the document stays. */
  #reverted({ newDocumentState, assumedMasterState }: Row<T>, code: string, path?: string) {
    const isGone = assumedMasterState?._deleted ?? true
    if (newDocumentState._deleted && isGone) return []
    const key = this.#keyOf(newDocumentState)
    const text = JSON.stringify(newDocumentState)
    if (this.#refused.get(key) === text) return []
    this.#refused.set(key, text)
    this.#options.onRejected?.({ document: newDocumentState, code, path })
    return [this.#pulled(assumedMasterState ?? { ...newDocumentState, _deleted: true })]
  }

  async #winnerOf({ key, winner }: Conflict): Promise<WithDeleted<T>> {
    // A reply that would be too large leaves values out.
    if (!('omitted' in winner)) return this.documentOf({ ...winner, key })
    const path = `/api/entries?key=${encodeURIComponent(key)}`
    return this.documentOf((await this.#options.service.request(path)) as FeedEntry)
  }

  #keyOf(document: WithDeleted<T>): string {
    return `${this.#options.name}/${document[this.#primary as keyof T]}`
  }

  async #pulled(document: WithDeleted<T>): Promise<WithDeleted<T>> {
    const { pull } = this.#options
    return pull ? pull(document) : document
  }

  async #exchange(body: object): Promise<SyncReply> {
    return (await this.#options.service.request('/api/sync', { method: 'POST', body })) as SyncReply
  }
}
