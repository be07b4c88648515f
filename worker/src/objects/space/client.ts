import type { Session } from '../../core/access/session.ts'
import { NO_BATCH } from '../../core/batch/batch-number.ts'
import type { Fault } from '../../core/fault.ts'
import { DAY_MS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { ClientRecord } from '../store/client-rows.ts'

import type { Space } from './space.ts'

/**
 * The record of a session's client; undefined before its first write. Refuses a client that belongs to another subject
 * of the space: asked on every path that writes in a client's name.
 */
export function recordOf(
  { store }: Space,
  { client, subject }: Session,
): Result<ClientRecord | undefined, Fault> {
  const record = store.client(client)
  if (record === undefined || record.subject === subject) return accepted(record)
  return refused({ code: 'foreign-client', detail: 'this clientId belongs to another subject of the space' })
}

/** Where a space stands with a client: which data set it holds, and how far the client has come in it. */
export interface ClientState {
  readonly epoch: string
  /** The number of the client's last batch; `NO_BATCH` where it has sent none, or another subject owns its name. */
  readonly lastBatch: number
}

/** A client by its name and the subject that it writes for. */
export type ClientIdentity = Pick<Session, 'client' | 'subject'>

export function clientStateOf(
  { store, state }: Space,
  { client, subject }: Partial<ClientIdentity>,
): ClientState {
  const record = client === undefined ? undefined : store.client(client)
  const isOwn = record !== undefined && record.subject === subject
  return { epoch: state.epoch, lastBatch: isOwn ? record.batch : NO_BATCH }
}

/** Whether a client's write is to be noted: its first one, and then one a day, so that the claim does not age in use. */
export function isClaimDue(record: ClientRecord | undefined, now: number): boolean {
  return record === undefined || (record.batch === NO_BATCH && now - record.arrived >= DAY_MS)
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
