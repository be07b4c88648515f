import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, inject, test } from 'vitest'
import type { Session } from '../../worker/src/core/access/session.ts'
import type { Fault } from '../../worker/src/core/fault.ts'
import { type Chunk, decodeChunks, joinChunk } from '../../worker/src/core/log/chunk.ts'
import { encodeHeader, holds } from '../../worker/src/core/log/chunk-header.ts'
import { DAY_MS } from '../../worker/src/core/values/limits.ts'
import type { Result } from '../../worker/src/core/values/result.ts'
import { listConflicts } from '../../worker/src/objects/read/conflicts.ts'
import { readEntry } from '../../worker/src/objects/read/entry.ts'
import { readHistory } from '../../worker/src/objects/read/history.ts'
import { pull } from '../../worker/src/objects/read/pull.ts'
import { openSpace, type Space } from '../../worker/src/objects/space/space.ts'
import { compactSlice } from '../../worker/src/objects/upkeep/compact.ts'
import { sync } from '../../worker/src/objects/write/sync.ts'
import { CAMPAIGN_TIMEOUT_MS } from '../support/worker/stronghold.ts'
import { type Random, random } from './storm/random.ts'

/** Rows tampered with; a sample in `npm test`, all of them in `npm run attack`. */
const ROWS = inject('thorough') ? 10_000 : 400
const T = Date.now() - DAY_MS
const KEYS = Array.from({ length: 12 }, (_, index) => `k${index % 3}/${index}`)

function sessionOf(client: string): Session {
  const scopes = ['sync:read', 'sync:write'] as const
  const expiresAt = Math.floor(Date.now() / 1000) + 600
  const rights = { scopes, collections: null, issuedAt: Date.now(), expiresAt }
  return { id: 'i', token: 't', subject: 's', space: 'tampered', client, ...rights }
}

async function push(space: Space, client: string, body: object): Promise<void> {
  const result = await sync(space, sessionOf(client), { text: JSON.stringify(body), now: Date.now() })
  expect(result.ok, JSON.stringify(result)).toBe(true)
}

/** Writes entries, deletions, conflicts and a history of two clients, half of it compacted and archived. */
async function fill(space: Space): Promise<void> {
  for (let round = 1; round <= 6; round++) {
    for (const client of ['a', 'b']) {
      const changes = KEYS.filter((_, index) => (index + round) % 3 > 0).flatMap((key, index) => [
        { key, value: { of: key, round, client, first: 1 }, timestamp: T + round * 10 },
        index % 5 === 0
          ? { key, deleted: true, timestamp: T + round * 10 + 1 }
          : { key, value: { of: key, round, client }, timestamp: T + round * 10 + 1 },
      ])
      await push(space, client, { batch: round, changes })
    }
    if (round === 3)
      await compactSlice(space, { after: 0, to: space.state.seq, generation: 1, unreadable: 0 }, Date.now())
  }
}

/** Replies by name: the JSON, or the error thrown. */
type Readings = ReadonlyMap<string, unknown>

/** Reads everything of a space from its current rows. */
async function readAll(state: DurableObjectState): Promise<Readings> {
  const session = sessionOf('reader')
  const space = openSpace(state, env)
  const reads: readonly (readonly [name: string, read: () => Promise<unknown>])[] = [
    ['changes', async () => JSON.parse(await changesOf(space, session))],
    ['conflicts', async () => JSON.parse(await listConflicts(space, {}, null))],
    ...KEYS.flatMap((key) => [
      [`entry ${key}`, async () => parsed(await readEntry(space, session, key))] as const,
      [`history ${key}`, async () => parsed(await readHistory(space, session, { key }))] as const,
    ]),
  ]
  const readings = new Map<string, unknown>()
  for (const [name, read] of reads) readings.set(name, await read().catch((cause: unknown) => cause))
  return readings
}

async function changesOf(space: Space, session: Session): Promise<string> {
  const { entries } = await pull(space, session, { query: { cursor: null }, wrote: null })
  return `[${entries.join()}]`
}

function parsed(result: Result<string, Fault>): unknown {
  return result.ok ? JSON.parse(result.value) : result.fault
}

/** Lists every version in a reply, with all its fields. */
function versionsIn(reply: unknown, key = ''): readonly string[] {
  if (typeof reply !== 'object' || reply === null || reply instanceof Error) return []
  const { version, value, deleted, timestamp, by, ...rest } = reply as Record<string, unknown>
  const named = typeof rest.key === 'string' ? rest.key : key
  if (timestamp !== undefined) return [JSON.stringify([named, version, value, deleted, timestamp, by])]
  return Object.values(reply).flatMap((part) => versionsIn(part, named))
}

type Cell = SqlStorageValue
type Row = Record<string, Cell>

const TABLES = ['segment', 'archive', 'head', 'conflict']

/** The columns of which one is changed in a row. A cell without content stays. */
function columnsOf(table: string, row: Row): readonly string[] {
  const isClear = table === 'head' || table === 'conflict'
  const isTarget = (name: string) => isClear || name === 'body' || name === 'pending'
  return Object.keys(row).filter((name) => isTarget(name) && row[name] !== null)
}

/** Changes one cell of some row, or copies another row's cell. Returns how to undo it. */
function tamper(sql: SqlStorage, by: Random): () => void {
  const table = by.pick([...TABLES, 'segment', 'archive'])
  const rows = sql.exec<Row>(`SELECT * FROM ${table}`).toArray()
  const row = by.pick(rows)
  const column = by.pick(columnsOf(table, row))
  const cell = row[column] as Cell
  const other = by.pick(rows)
  const changed =
    column === 'pending'
      ? changedPending(String(cell), by)
      : by.below(4) === 0
        ? (other[column] as Cell)
        : changedCell(cell, by)
  const identity = Object.keys(row)[0] ?? ''
  try {
    sql.exec(`UPDATE ${table} SET "${column}" = ? WHERE "${identity}" = ?`, changed, row[identity])
  } catch {
    // The key exists already.
  }
  return () => {
    sql.exec(`DELETE FROM ${table}`)
    for (const whole of rows) {
      const places = Object.keys(whole).map(() => '?')
      sql.exec(`INSERT INTO ${table} VALUES (${places})`, ...Object.values(whole))
    }
  }
}

function changedCell(cell: Cell, by: Random): Cell {
  if (typeof cell === 'number') return Math.max(0, cell + by.pick([-2, -1, 1, 2, 10]))
  if (typeof cell === 'string') return by.pick([`${cell}x`, cell.slice(0, -1), 'a', 'b', ...KEYS])
  const bytes = new Uint8Array(cell as ArrayBuffer)
  const place = by.below(bytes.length)
  switch (by.below(4)) {
    case 0:
      return bytes.slice(0, place).buffer
    case 1:
      return bytes.slice(place).buffer
    case 2:
      return bytes.with(place, by.below(256)).buffer
    default:
      return bytes.with(place, (bytes[place] ?? 0) ^ (1 << by.below(8))).buffer
  }
}

/** Changes one cell of some pending row, copies another row's cell, drops or repeats a row, or cuts the text. */
function changedPending(text: string, by: Random): string {
  if (by.below(5) === 0) return text.slice(0, by.below(text.length))
  const tables = JSON.parse(text) as (string | number)[][][]
  const rows = by.pick(tables)
  const row = by.pick(rows)
  const column = by.below(row.length)
  const place = rows.indexOf(row)
  if (by.below(6) === 0) rows.splice(place, by.below(2), ...(by.below(2) === 0 ? [row] : []))
  else if (by.below(3) === 0) row[column] = by.pick(rows)[column] as string | number
  else row[column] = changedCell(row[column] as Cell, by) as string | number
  return JSON.stringify(tables)
}

/** Counts of the kinds of replies after tampering. */
interface Count {
  unchanged: number
  /** Failures, as a corruption or because the rows cannot be read: a bare 500 to the client, the reason in the log. */
  reported: number
  /** Replies of true versions, but not the same ones: rows name their versions in the clear. */
  others: number
}

function compare(
  now: Readings,
  truth: Readings,
  { known, count }: { known: ReadonlySet<string>; count: Count },
) {
  for (const [name, reply] of now) {
    if (reply instanceof Error) count.reported += 1
    else if (JSON.stringify(reply) === JSON.stringify(truth.get(name))) count.unchanged += 1
    else count.others += 1
    const wrong = versionsIn(reply).filter((version) => !known.has(version))
    expect(wrong, name).toEqual([])
  }
}

test(
  '[SC9] never shows a value that was not written so, after rows were changed or swapped',
  async () => {
    const count: Count = { unchanged: 0, reported: 0, others: 0 }
    const began = Date.now()
    await runInDurableObject(env.CHRONICLE.getByName('tampered'), async (_, state) => {
      await fill(openSpace(state, env))
      await state.storage.deleteAlarm()
      const truth = await readAll(state)
      const known = new Set([...truth.values()].flatMap((reply) => versionsIn(reply)))
      expect(known.size).toBeGreaterThan(100)
      const by = random(9)
      for (let row = 0; row < ROWS; row++) {
        const undo = tamper(state.storage.sql, by)
        compare(await readAll(state), truth, { known, count })
        undo()
      }
      expect(await readAll(state)).toEqual(truth)
    })
    expect(count.reported).toBeGreaterThan(ROWS)
    console.info(
      `SC9: ${ROWS} rows tampered with, ${Date.now() - began} ms; replies: ${JSON.stringify(count)}`,
    )
  },
  CAMPAIGN_TIMEOUT_MS,
)

/** Finds the chunk of the log that holds a version. */
function chunkOf({ store }: Space, seq: number): Chunk {
  const body = store.segmentAt(seq)?.body ?? new Uint8Array()
  const chunk = decodeChunks(body).find(({ header }) => holds(header, seq))
  if (chunk === undefined) throw new Error(`no chunk holds ${seq}`)
  return chunk
}

/** Writes a frame as layout 5 did, without a tag. */
function untagged({ header, sealed }: Chunk, seq: number): Uint8Array {
  const { g, c, b, t, k } = header
  const headerBytes = new TextEncoder().encode(JSON.stringify({ g, c, b, t, k, s: [seq, 0, 0] }))
  return joinChunk({ header, headerBytes, tag: new Uint8Array(), sealed }).bytes
}

for (const [how, forge] of [
  ['verbatim', (chunk: Chunk) => chunk.bytes],
  ['under another frame', (chunk: Chunk, seq: number) => renumbered(chunk, seq)],
  ['as a chunk of layout 5', untagged],
] as const) {
  test(`[SC9] does not show a chunk that is appended again ${how} as a newer version`, async () => {
    await runInDurableObject(env.CHRONICLE.getByName(`again ${how}`), async (_, state) => {
      const space = openSpace(state, env)
      await push(space, 'a', { changes: [{ key: 'k/1', value: 'old', timestamp: T }] })
      await push(space, 'a', { changes: [{ key: 'k/1', value: 'new', timestamp: T + 1 }] })
      const chunk = chunkOf(space, 1)
      const { sql } = state.storage
      sql.exec('INSERT INTO segment VALUES (3, 3, 1, ?, ?, 2, NULL)', T, forge(chunk, 3))
      sql.exec(`INSERT OR REPLACE INTO head VALUES ('k/1', 3, 0, ?, 'a', 0, 0)`, T)
      const replies = await Promise.all([
        readEntry(openSpace(state, env), sessionOf('reader'), 'k/1').catch(String),
        changesOf(openSpace(state, env), sessionOf('reader')).catch(String),
        readHistory(openSpace(state, env), sessionOf('reader'), { key: 'k/1' }).catch(String),
      ])
      for (const reply of replies) expect(JSON.stringify(reply)).not.toContain('old')
      expect(
        replies.filter((reply) => typeof reply === 'string' && reply.startsWith('CorruptionError')),
      ).not.toEqual([])
    })
  })
}

function renumbered({ header, tag, sealed }: Chunk, seq: number): Uint8Array {
  const slots = header.slots.map((slot) => ({ ...slot, seq }))
  return joinChunk({ header, headerBytes: encodeHeader({ ...header, slots }), tag, sealed }).bytes
}

test('[SC9] reports two chunks of one batch whose contents were swapped', async () => {
  await runInDurableObject(env.CHRONICLE.getByName('parted'), async (_, state) => {
    const value = 'v'.repeat(40_000)
    const changes = ['first', 'second'].map((name) => ({
      key: 'k/1',
      value: `${name} ${value}`,
      timestamp: T,
    }))
    await push(openSpace(state, env), 'a', { batch: 1, changes })
    const { sql } = state.storage
    // Each chunk is so long that it has a row of its own.
    const rows = sql.exec<{ first: number; body: ArrayBuffer }>('SELECT first, body FROM segment').toArray()
    const [one, two] = rows.flatMap(({ body }) => decodeChunks(new Uint8Array(body))) as [Chunk, Chunk]
    const swapped = [joinChunk({ ...one, sealed: two.sealed }), joinChunk({ ...two, sealed: one.sealed })]
    expect(rows).toHaveLength(swapped.length)
    for (const [index, { bytes }] of swapped.entries())
      sql.exec('UPDATE segment SET body = ? WHERE first = ?', bytes, rows[index]?.first)
    await expect(readEntry(openSpace(state, env), sessionOf('reader'), 'k/1')).rejects.toThrow(
      'does not open',
    )
  })
})

test('[SC9] reports a lost master key as corruption of what it sealed, and of nothing else', async () => {
  await runInDurableObject(env.CHRONICLE.getByName('lost-key'), async (_, state) => {
    await push(openSpace(state, env), 'a', { changes: [{ key: 'k/1', value: 'old', timestamp: T }] })
    const without = { ...env, MASTER_KEY: `2:${btoa('n'.repeat(32))}` }
    const space = openSpace(state, without)
    await push(space, 'a', { changes: [{ key: 'k/2', value: 'new', timestamp: T }] })
    await expect(readEntry(space, sessionOf('reader'), 'k/1')).rejects.toThrow('does not open')
    expect(parsed(await readEntry(space, sessionOf('reader'), 'k/2'))).toMatchObject({ value: 'new' })
  })
})
