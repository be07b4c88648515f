import { NO_BATCH } from '../core/batch.ts'
import { accepted, type Result, refused } from '../core/result.ts'
import type { Session } from '../core/session.ts'
import type { Space } from './space.ts'
import type { ClientRecord } from './store.ts'

/**
 * The record of a session's client; undefined before its first write. Refuses a client that belongs to another subject
 * of the space: asked on every path that writes in a client's name.
 */
export function recordOf({ store }: Space, { client, subject }: Session): Result<ClientRecord | undefined> {
  const record = store.client(client)
  if (record === undefined || record.subject === subject) return accepted(record)
  return refused({ code: 'foreign-client', detail: 'this clientId belongs to another subject of the space' })
}

/** The record by which a client that numbers no batch belongs to its subject from its first write on. */
export function claimOf({ client, subject }: Session, now: number): ClientRecord {
  return {
    id: client,
    subject,
    batch: NO_BATCH,
    generation: 0,
    digest: new Uint8Array(),
    arrived: now,
    skew: 0,
    verdicts: '',
  }
}
