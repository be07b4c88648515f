import type { RxCollection, RxReplicationWriteToMasterRow, WithDeleted } from 'rxdb'
import { type RxReplicationState, replicateRxCollection } from 'rxdb/plugins/replication'
import { Subject } from 'rxjs'
import { follow } from './follow.ts'
import { documentsOf, type Stored, stored } from './rxdb-documents.ts'
import type { Entry, Page, Reply, Session } from './session.ts'

export interface Checkpoint {
  readonly cursor: string
}

export interface Options<T> {
  readonly session: Session
  readonly collection: RxCollection<T>
  readonly live?: boolean
  readonly attachments?: boolean
  readonly waitForLeadership?: boolean
  readonly batchSize?: number
}

/**
 * Replicates an RxDB collection with the collection `human` of a space, whose policy is `server-wins`. The space
 * refuses a row that is not based on the current version, and RxDB's conflict handler gets that version.
 */
export function replicateChronicle<T>(options: Options<T>): RxReplicationState<T, Checkpoint> {
  const { session, collection, live = true, attachments = false, waitForLeadership = false } = options
  const documents = documentsOf<T>(session, collection, attachments)
  const stream$ = new Subject<'RESYNC'>()
  let cursor: string | null = null

  async function pull(checkpoint: Checkpoint | undefined, limit: number) {
    const entries: Entry[] = []
    cursor = checkpoint?.cursor ?? null
    // RxDB takes a short page for the last page. The loop therefore pulls until the page is full.
    for (let more = true; more && entries.length < limit; ) {
      const asked: object = { cursor, limit: limit - entries.length, collections: ['human'], changes: [] }
      const page: Page = await session.request<Page>('/api/sync', asked)
      entries.push(...page.changes)
      cursor = page.cursor
      more = page.more
    }
    return { documents: await Promise.all(entries.map(documents.read)), checkpoint: { cursor: cursor ?? '' } }
  }

  async function push(rows: RxReplicationWriteToMasterRow<T>[]): Promise<WithDeleted<T>[]> {
    const changes = await Promise.all(rows.map(toChange))
    const { results, conflicts } = await session.request<Reply>('/api/sync', { changes })
    const rejected = results.find(({ status }) => status === 'rejected')
    if (rejected) throw new Error(`${rejected.key} was rejected: ${rejected.code}`)
    return Promise.all(conflicts.map(({ key, winner }) => documents.read({ key, ...winner })))
  }

  async function toChange({ newDocumentState, assumedMasterState }: RxReplicationWriteToMasterRow<T>) {
    const assumed: Stored | undefined = assumedMasterState && stored(assumedMasterState, attachments)
    return {
      ...(await documents.write(newDocumentState)),
      ...(assumed && !assumed.deleted ? { baseValue: assumed.value } : { baseDeleted: true }),
      timestamp: Date.now(),
    }
  }

  const { batchSize = 100 } = options
  const state = replicateRxCollection<T, Checkpoint>({
    replicationIdentifier: `${session.url}/${session.space}`,
    collection,
    live,
    waitForLeadership,
    retryTime: 100,
    pull: { handler: pull, batchSize, ...(live && { stream$ }) },
    push: { handler: push, batchSize },
  })
  if (live) state.onCancel.push(follow(session, 'human', pullAgain))
  return state

  async function pullAgain(): Promise<string | null> {
    await state.startPromise
    stream$.next('RESYNC')
    await state.awaitInSync()
    return cursor
  }
}
