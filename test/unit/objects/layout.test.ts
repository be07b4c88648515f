import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { toEdits } from '../../../worker/src/core/batch/change.ts'
import { encodeVerdicts } from '../../../worker/src/core/batch/verdict.ts'
import { chunkTexts, joinChunk } from '../../../worker/src/core/log/chunk.ts'
import { type ChunkHeader, encodeHeader, FORM } from '../../../worker/src/core/log/chunk-header.ts'
import { NO_PASS } from '../../../worker/src/core/log/upkeep.ts'
import { LAYOUT } from '../../../worker/src/core/space/layout.ts'
import { FOREIGN, NOTHING } from '../../../worker/src/core/values/version.ts'
import { mergedNumber, mergedOf, rootNumber, runOf } from '../../../worker/src/objects/store/entry-rows.ts'
import { decodePending, encodePending, NONE_PENDING } from '../../../worker/src/objects/store/pending-rows.ts'
import { migrate } from '../../../worker/src/objects/store/tables.ts'
import { storageOn } from '../../simulation/host/sql.ts'

/**
 * Digests of the stored form, by the layout number that it belongs to. A change of the stored form takes a new
 * number, a new line here, and a step in `objects/store/tables.ts`; the line of a released number is never edited.
 */
const DIGESTS: Readonly<Record<number, string>> = {
  6: 'nh2HSpGxt_KYoLOU',
  7: 'uifDMw1UNI6eCSS6',
  8: 'gbCVi-2MJz2ksAd_',
  9: 'In-azwvsjp8CsKa6',
}

/** The tables, and one of each value that is written into them. */
function storedForm(): readonly string[] {
  const db = new DatabaseSync(':memory:')
  const rest = {
    getAlarm: async () => null,
    setAlarm: async () => {},
    deleteAlarm: async () => {},
    sync: async () => {},
  }
  migrate(storageOn(db, { statement() {}, committed() {} }, rest), 'epoch')
  const tables = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all()
  const meta = db.prepare('SELECT name, value FROM meta ORDER BY name').all()
  const lines = linesOf()
  const slots = [
    { seq: 7, previous: 0, index: 0, lift: 0 },
    { seq: 9, previous: 3, index: 2, lift: 40 },
  ]
  const header: ChunkHeader = {
    g: 2,
    c: 'phone',
    b: 4,
    t: 1000,
    k: -60_000,
    form: FORM as typeof FORM,
    slots,
  }
  const chunk = joinChunk({
    header,
    headerBytes: encodeHeader(header),
    tag: new Uint8Array(16),
    sealed: new Uint8Array(3),
  })
  return [
    ...tables.map(({ sql }) => String(sql)),
    JSON.stringify(meta),
    ...chunkTexts(lines).map(({ text }) => text),
    Buffer.from(chunk.bytes).toString('latin1'),
    verdictsText(),
    headNumbers(),
    encodePending(PENDING),
    JSON.stringify(NO_PASS),
  ]
}

function linesOf(): readonly string[] {
  const changes = [
    { key: 'k/1', value: { b: 1, a: [null, 'ä'] }, timestamp: 5, base: 'k3x9q2.7' },
    { key: 'k/2', deleted: true, timestamp: 6, base: null },
    { key: 'k/3', value: 0, timestamp: 7, base: 'no version' },
    { key: 'k/4', value: 0, timestamp: 8 },
    { key: 'k/5', value: 0, timestamp: 9.5, baseValue: { any: 1 } },
    { key: 'k/6', value: 0 },
  ]
  const edits = toEdits(changes, { epoch: 'k3x9q2', clock: { now: 1e9, skew: 0 }, granted: null })
  return edits.map(({ line }) => line)
}

/** Round trips of the numbers in an entry row: its run, and the version merged into it. */
function headNumbers(): string {
  const runs = [FOREIGN, NOTHING, 1, 7].flatMap((root) => [
    rootNumber({ root, vacant: true }),
    rootNumber({ root, vacant: false }),
  ])
  return JSON.stringify([runs, [FOREIGN, NOTHING, 1, 7].map(mergedNumber)])
}

test('[SG8] reads an entry row back as it was written', () => {
  for (const root of [FOREIGN, NOTHING, 1, 2, 7])
    for (const vacant of root > NOTHING ? [true, false] : [true])
      expect(runOf(rootNumber({ root, vacant }))).toEqual({ root, vacant })
  for (const merged of [FOREIGN, NOTHING, 1, 2, 7]) expect(mergedOf(mergedNumber(merged))).toBe(merged)
})

const PENDING = {
  entries: new Map([
    ['k/1', { seq: 7, root: 3, vacant: true, at: 1000, by: 'phone', deleted: false, merged: NOTHING }],
    ['k/2', { seq: 9, root: FOREIGN, vacant: true, at: 1001, by: 'ä', deleted: true, merged: 8 }],
  ]),
  records: new Map([
    [
      'phone',
      {
        id: 'phone',
        subject: 'ann',
        batch: 4,
        generation: 2,
        digest: Uint8Array.from({ length: 16 }, (_, index) => index * 17),
        arrived: 1000,
        skew: -60_000,
        verdicts: verdictsText(),
      },
    ],
  ]),
}

test('[SG8] reads the pending rows back as they were written', () => {
  expect(decodePending(encodePending(PENDING))).toEqual(PENDING)
  expect(decodePending(encodePending(NONE_PENDING))).toEqual(NONE_PENDING)
  expect(decodePending(null)).toEqual(NONE_PENDING)
})

/** Texts that are no pending rows. The tables would refuse such cells too. */
const MALFORMED = [
  '',
  'x',
  'null',
  '{}',
  '[]',
  '[[]]',
  '[[["k/1"]],[]]',
  '[[["k/1","1",0,1,"a",0,0]],[]]',
  '[[["k/1",1.5,0,1,"a",0,0]],[]]',
  '[[["k/1",1,0,1,null,0,0]],[]]',
  '[[],[["a"]]]',
  '[[],[["a","s",1,"zz",1,0,"",1]]]',
  '[[],[["a","s",1,"00",1,0,null,1]]]',
]

test.each(MALFORMED)(
  '[SG5] reads nothing from malformed pending rows, and lets the space start: %s',
  (text) => {
    const pending = decodePending(text)
    expect(() => pending.entries).toThrow('the pending rows of the space are unreadable')
    expect(() => pending.records).toThrow('the pending rows of the space are unreadable')
  },
)

function verdictsText(): string {
  return encodeVerdicts([
    { status: 'applied', seq: 1, conflict: false },
    { status: 'applied', seq: 2, conflict: false },
    { status: 'applied', seq: 4, conflict: true },
    { status: 'applied', seq: 5, conflict: false, at: 99 },
    { status: 'noop', seq: 2 },
    { status: 'merged', seq: 8, conflict: 7 },
    { status: 'superseded', seq: 9, winner: 8 },
    { status: 'conflict', seq: 10, winner: 8 },
    { status: 'rejected', code: 'invalid-key' },
    { status: 'rejected', code: 'invalid-key' },
    { status: 'rejected', code: 'forbidden-key' },
    { status: 'rejected', code: 'too-deep' },
    { status: 'rejected', code: 'lone-surrogate' },
    { status: 'rejected', code: 'number-out-of-range' },
  ])
}

test('[SG8] requires a new layout number for a change of the stored form', () => {
  const digest = createHash('sha256').update(storedForm().join('\n')).digest('base64url').slice(0, 16)
  expect({ [LAYOUT]: digest }).toEqual({ [LAYOUT]: DIGESTS[LAYOUT] })
})
