import type { Session } from '../../core/access/session.ts'
import { NO_BATCH } from '../../core/batch/batch-number.ts'
import type { Fault } from '../../core/fault.ts'
import { DAY_MS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import { isReadable } from '../store/pending-rows.ts'
import type { Space } from './space.ts'

/**
 * Refuses a client that belongs to another subject of the space. `record` is the client's, undefined before its first
 * write. Every path that writes in a client's name calls it.
 */
export function checkClient(
  record: ClientRecord | undefined,
  { subject }: Session,
): Result<ClientRecord | undefined, Fault> {
  if (record === undefined || record.subject === subject) return accepted(record)
  return refused({ code: 'foreign-client', detail: 'this clientId belongs to another subject of the space' })
}

/** The state of a client in a space: the space's epoch, and the client's last batch in it. */
export interface ClientState {
  readonly epoch: string
  /** The number of the client's last batch; `NO_BATCH` if it has sent none, or if another subject owns its id. */
  readonly lastBatch: number
}

/** A client's id and the subject that it writes for. */
export type ClientIdentity = Pick<Session, 'client' | 'subject'>

/** The state of a client; empty if the space is damaged, because a session is needed to erase it. */
export function clientStateOf(
  { store, state }: Space,
  { client, subject }: Partial<ClientIdentity>,
): Partial<ClientState> {
  if (!isReadable(state.pending)) return {}
  const record = client === undefined ? undefined : store.client(client)
  const isOwn = record !== undefined && record.subject === subject
  return { epoch: state.epoch, lastBatch: isOwn ? record.batch : NO_BATCH }
}

/** Whether a write must renew the client's claim: at its first write, then once a day, so that a claim in use never ages. */
export function isClaimDue(record: ClientRecord | undefined, now: number): boolean {
  return record === undefined || (record.batch === NO_BATCH && now - record.arrived >= DAY_MS)
}

/** The record that binds a client to its subject from its first write, if the client does not number its batches. */
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
