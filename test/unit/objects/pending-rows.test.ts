import { expect, test } from 'vitest'
import { NOTHING } from '../../../worker/src/core/values/version.ts'
import type { ClientRecord } from '../../../worker/src/objects/store/client-rows.ts'
import { isSmall, type PendingRows } from '../../../worker/src/objects/store/pending-rows.ts'

/** Pending rows of both kinds; each record has verdicts of one length. */
function pendingRows(entries: number, records: number, verdictsLength = 0): PendingRows {
  return {
    entries: new Map(Array.from({ length: entries }, (_, index) => [`entry ${index}`, entryAt(index + 1)])),
    records: new Map(
      Array.from({ length: records }, (_, index) => recordOf(`client ${index}`, verdictsLength)),
    ),
  }
}

function entryAt(seq: number) {
  return { seq, root: NOTHING, vacant: true, at: 0, by: 'client 0', deleted: false, merged: NOTHING }
}

function recordOf(id: string, verdictsLength: number): readonly [string, ClientRecord] {
  const verdicts = 'x'.repeat(verdictsLength)
  const digest = new Uint8Array(16)
  return [id, { id, subject: 's', batch: 1, generation: 1, digest, arrived: 0, skew: 0, verdicts }]
}

test('64 rows may be pending, whatever their tables', () => {
  expect(isSmall(pendingRows(63, 1))).toBe(true)
  expect(isSmall(pendingRows(64, 1))).toBe(false)
  expect(isSmall(pendingRows(0, 65))).toBe(false)
})

test('a record is pending only while its verdicts are short, because each batch would write them again', () => {
  expect(isSmall(pendingRows(1, 2, 256))).toBe(true)
  expect(isSmall(pendingRows(1, 2, 257))).toBe(false)
})
