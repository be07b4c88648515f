import { tryChunks } from '../core/chunk.ts'
import type { Progress } from '../core/import.ts'
import { SEGMENT_BYTES } from '../core/limits.ts'
import type { Conflict } from '../core/outcome.ts'
import type { Head } from '../core/settle.ts'
import { type AgeingRows, ageingRows } from './ageing-rows.ts'
import { type ArchiveRows, archiveRows } from './archive-rows.ts'
import { mergedNumber, mergedOf, rootNumber, runOf } from './head-row.ts'
import { type ImportRows, importedIn, importRows } from './import-rows.ts'
import type { KeyNames } from './names.ts'
import { type PassRows, passesIn, passRows } from './pass-rows.ts'

/** Where a space stands: read once when its object wakes, then kept in step with every commit. */
export interface Standing {
  readonly epoch: string
  /** Cursors below it cannot be continued: tombstones up to here have been collected. */
  readonly floor: number
  /** When all that the space held was erased, ms; 0 if it never was. What was issued before is void. */
  readonly erasedAt: number
  /** The last sequence number given out. */
  readonly seq: number
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that are no longer current: a pass takes them out. */
  readonly superseded: number
  /** How many of these the last pass left behind. */
  readonly left: number
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
  /** The newest segment, which takes further chunks while it is small. */
  readonly tail: { readonly first: number; readonly bytes: number } | null
  /** The export that the space was or is being filled with; null for most. */
  readonly imported: Progress | null
}

/** What is known of a client's last batch: enough to answer it again. */
export interface ClientRecord {
  readonly id: string
  readonly subject: string
  readonly batch: number
  /** Of the master key that the digest was made with. */
  readonly generation: number
  readonly digest: Uint8Array
  readonly arrived: number
  readonly skew: number
  readonly verdicts: string
}

export interface Segment {
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
}

/** What one batch writes to one row of the log. */
export interface Append {
  /** The newest segment, to which it is added; null begins one. */
  readonly into: number | null
  readonly first: number
  readonly last: number
  readonly entries: number
  readonly superseded: number
  readonly at: number
  readonly body: Uint8Array
}

/** The rows of a space. Synchronous throughout; the caller says what is one transaction. */
export interface Store extends PassRows, ArchiveRows, AgeingRows, ImportRows {
  standing(): Standing
  /** How much storage all the rows take; less again once some were deleted. */
  bytes(): number
  client(id: string): ClientRecord | undefined
  putClient(record: ClientRecord): void
  heads(keys: readonly string[]): ReadonlyMap<string, Head>
  putHeads(heads: ReadonlyMap<string, Head>): void
  append(append: Append): void
  /** The segment that holds a sequence number, or the next one after it. */
  segmentAt(seq: number): Segment | undefined
  /** `at`: when they came to be, ms. */
  putConflicts(conflicts: readonly Conflict[], at: number): void
  conflicts(ids: readonly number[]): readonly Conflict[]
  conflictsAfter(id: number, page: { readonly limit: number; readonly open: boolean }): readonly Conflict[]
  /** Closes an open conflict. `by`: the version that settled it. */
  resolveConflict(id: number, settled: { readonly by: number; readonly at: number }): void
  openConflicts(): number
  revoke(id: string, revocation: Revocation): void
  revoked(): ReadonlyMap<string, Revocation>
  forgetRevoked(before: number): void
}

/** The end of what goes by one id, ms since 1970. */
export interface Revocation {
  /** What was issued after it counts. */
  readonly issuedBy: number
  /** Until then, all of it counts; 0: it has ended. */
  readonly since: number
  /** Nothing that is ended could have lasted longer. */
  readonly until: number
}

type HeadRow = readonly [
  name: string,
  seq: number,
  root: number,
  at: number,
  by: string,
  deleted: 0 | 1,
  merged: number,
]
type SegmentRow = { first: number; last: number; body: ArrayBuffer }
type TailRow = SegmentRow & { entries: number; superseded: number; at: number }
type ClientRow = Omit<ClientRecord, 'digest'> & { digest: ArrayBuffer }

/** Rows go by the names of their keys. */
export function sqliteStore(sql: SqlStorage, names: KeyNames): Store {
  return {
    standing: () => readStanding(sql),
    bytes: () => sql.databaseSize,
    ...segmentRows(sql),
    ...headRows(sql, names),
    ...clientRows(sql),
    ...conflictRows(sql),
    ...revokedRows(sql),
    ...passRows(sql),
    ...archiveRows(sql),
    ...ageingRows(sql),
    ...importRows(sql, names),
  }
}

function readStanding(sql: SqlStorage): Standing {
  const rows = sql.exec<{ name: string; value: SqlStorageValue }>('SELECT name, value FROM meta')
  const meta = new Map(Array.from(rows, ({ name, value }) => [name, value]))
  const [tail] = sql
    .exec<TailRow>(
      'SELECT first, last, entries, superseded, at, body FROM segment ORDER BY first DESC LIMIT 1',
    )
    .toArray()
  return {
    epoch: String(meta.get('epoch')),
    floor: Number(meta.get('floor')),
    erasedAt: Number(meta.get('erased-at') ?? 0),
    seq: tail?.last ?? 0,
    entries: tail?.entries ?? 0,
    superseded: tail?.superseded ?? 0,
    left: passesIn(meta.get('passes')).last.left,
    lastSync: tail?.at ?? null,
    tail:
      tail !== undefined && isWhole(tail.body) ? { first: tail.first, bytes: tail.body.byteLength } : null,
    imported: importedIn(meta),
  }
}

/** Whether a row can be read on to its end: a chunk behind a broken one would be lost. */
function isWhole(body: ArrayBuffer): boolean {
  return body.byteLength >= SEGMENT_BYTES || tryChunks(new Uint8Array(body)) !== null
}

/** The log. */
function segmentRows(sql: SqlStorage): Pick<Store, 'append' | 'segmentAt'> {
  return {
    append({ into, first, last, entries, superseded, at, body }) {
      if (into === null) {
        sql.exec(
          'INSERT INTO segment (first, last, entries, superseded, at, body) VALUES (?, ?, ?, ?, ?, ?)',
          first,
          last,
          entries,
          superseded,
          at,
          body,
        )
      } else {
        sql.exec(
          `UPDATE segment SET last = ?, entries = ?, superseded = ?, at = ?, body = CAST(body || ? AS BLOB)
           WHERE first = ?`,
          last,
          entries,
          superseded,
          at,
          body,
          into,
        )
      }
    },

    segmentAt(seq) {
      const [row] = sql.exec<SegmentRow>(
        `SELECT first, last, body FROM segment
         WHERE first >= coalesce((SELECT max(first) FROM segment WHERE first <= ?1), 0) AND last >= ?1
         ORDER BY first LIMIT 1`,
        seq,
      )
      return row && { ...row, body: new Uint8Array(row.body) }
    },
  }
}

/** Where each key stands. */
function headRows(sql: SqlStorage, names: KeyNames): Pick<Store, 'heads' | 'putHeads'> {
  return {
    heads(keys) {
      const keysByName = new Map(keys.map((key) => [names(key), key]))
      // One row of JSON: the platform hands over rows one by one, at several microseconds each.
      const { rows } = sql
        .exec<{ rows: string }>(
          `SELECT json_group_array(json_array(key, seq, root, at, "by", deleted, merged)) AS rows
           FROM (SELECT head.* FROM json_each(?) AS wanted JOIN head ON head.key = wanted.value)`,
          JSON.stringify([...keysByName.keys()]),
        )
        .one()
      const found = new Map<string, Head>()
      for (const [name, seq, root, at, by, deleted, merged] of JSON.parse(rows) as readonly HeadRow[]) {
        found.set(keysByName.get(name) ?? '', {
          seq,
          ...runOf(root),
          at,
          by,
          deleted: deleted === 1,
          merged: mergedOf(merged),
        })
      }
      return found
    },

    putHeads(heads) {
      const rows = Array.from(heads, ([key, head]) => [
        names(key),
        head.seq,
        rootNumber(head),
        head.at,
        head.by,
        Number(head.deleted),
        mergedNumber(head.merged),
      ])
      sql.exec(
        `INSERT OR REPLACE INTO head (key, seq, root, at, "by", deleted, merged) ${valuesOfRows(7)}`,
        JSON.stringify(rows),
      )
    },
  }
}

/** The idempotency records. */
function clientRows(sql: SqlStorage): Pick<Store, 'client' | 'putClient'> {
  return {
    client(id) {
      const [row] = sql.exec<ClientRow>('SELECT * FROM client WHERE id = ?', id)
      return row && { ...row, digest: new Uint8Array(row.digest) }
    },

    putClient({ id, subject, batch, generation, digest, arrived, skew, verdicts }) {
      sql.exec(
        'INSERT OR REPLACE INTO client VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        subject,
        batch,
        digest,
        arrived,
        skew,
        verdicts,
        generation,
      )
    },
  }
}

const CONFLICT = `SELECT id, policy, resolution, winner, loser, resolved AS resolvedBy FROM conflict`

/** Settled and open conflicts. */
function conflictRows(
  sql: SqlStorage,
): Pick<Store, 'putConflicts' | 'conflicts' | 'conflictsAfter' | 'resolveConflict' | 'openConflicts'> {
  return {
    putConflicts(conflicts, at) {
      const rows = conflicts.map(({ id, policy, resolution, winner, loser }) => [
        id,
        policy,
        resolution,
        winner,
        loser,
        Number(resolution === 'open'),
        at,
      ])
      sql.exec(
        `INSERT INTO conflict (id, policy, resolution, winner, loser, open, at) ${valuesOfRows(7)}`,
        JSON.stringify(rows),
      )
    },

    conflicts(ids) {
      const wanted = `${CONFLICT} WHERE id IN (SELECT value FROM json_each(?))`
      return sql.exec<Conflict & Row>(wanted, JSON.stringify(ids)).toArray()
    },

    conflictsAfter(id, { limit, open }) {
      const among = open ? 'open = 1 AND' : ''
      return sql
        .exec<Conflict & Row>(`${CONFLICT} WHERE ${among} id > ? ORDER BY id LIMIT ?`, id, limit)
        .toArray()
    },

    resolveConflict(id, { by, at }) {
      sql.exec(
        `UPDATE conflict SET resolution = 'resolved', open = 0, resolved = ?, at = ? WHERE id = ?`,
        by,
        at,
        id,
      )
    },

    openConflicts() {
      return sql.exec<{ open: number }>('SELECT count(*) AS open FROM conflict WHERE open = 1').one().open
    },
  }
}

/** Rows from a parameter that holds them as JSON: one statement however many they are. */
function valuesOfRows(columns: number): string {
  const names = Array.from({ length: columns }, (_, index) => `value ->> ${index}`)
  return `SELECT ${names.join(', ')} FROM json_each(?)`
}

/** What is no longer valid. */
function revokedRows(sql: SqlStorage): Pick<Store, 'revoke' | 'revoked' | 'forgetRevoked'> {
  return {
    revoke(id, { until, issuedBy, since }) {
      sql.exec(
        'INSERT OR REPLACE INTO revoked (id, until, issued_by, since) VALUES (?, ?, ?, ?)',
        id,
        until,
        issuedBy,
        since,
      )
    },

    revoked() {
      const rows = sql.exec<{ id: string } & Row>(
        'SELECT id, until, issued_by AS issuedBy, since FROM revoked',
      )
      return new Map(
        Array.from(rows, ({ id, until, issuedBy, since }) => [
          id,
          { until: Number(until), issuedBy: Number(issuedBy), since: Number(since) },
        ]),
      )
    },

    forgetRevoked(before) {
      sql.exec('DELETE FROM revoked WHERE until < ?', before)
    },
  }
}

type Row = Record<string, SqlStorageValue>
