import { expect, test } from 'vitest'
import type { ChunkHeader } from '../../../worker/src/core/log/chunk-header.ts'
import { MAX_RECENT_LENGTH } from '../../../worker/src/core/values/limits.ts'
import {
  type ClearChunk,
  type RecentChanges,
  recentChanges,
} from '../../../worker/src/objects/space/recent-changes.ts'

/** A chunk with one change for each sequence number. */
function chunkOf(seqs: readonly number[], text?: string): ClearChunk {
  const slots = seqs.map((seq, index) => ({ seq, previous: 0, index, lift: 0 }))
  const header: ChunkHeader = { form: 2, g: 1, c: 'a', b: 1, t: 1, k: 0, slots }
  return { header, text: text ?? JSON.stringify(seqs.map((seq) => [`k/${seq}`, 1, null, 0, seq])) }
}

function seqsAfter(recent: RecentChanges, seq: number, last: number): readonly number[] | undefined {
  return recent.after(seq, last)?.flatMap(({ versions }) => versions.map((version) => version.seq))
}

test('returns the chunks with changes after a position, up to the last one in use', () => {
  const recent = recentChanges()
  expect(recent.after(0, 0)).toEqual([])
  recent.add([chunkOf([1]), chunkOf([2, 3])], 0)
  recent.add([chunkOf([4])], 3)
  expect(seqsAfter(recent, 0, 4)).toEqual([1, 2, 3, 4])
  expect(seqsAfter(recent, 2, 4)).toEqual([2, 3, 4])
  expect(seqsAfter(recent, 4, 4)).toEqual([])
  expect(recent.after(1, 4)?.[0]?.versions).toMatchObject([
    { seq: 2, key: 'k/2', value: 2, by: 'a' },
    { seq: 3 },
  ])
})

test('returns nothing if something else has written to the log', () => {
  const recent = recentChanges()
  recent.add([chunkOf([1])], 0)
  expect(recent.after(0, 5)).toBeNull()
  recent.add([chunkOf([6])], 5)
  expect(recent.after(0, 6)).toBeNull()
  expect(recent.after(4, 6)).toBeNull()
  expect(seqsAfter(recent, 5, 6)).toEqual([6])
})

test('begins with what an object has written since it woke', () => {
  const recent = recentChanges()
  recent.add([chunkOf([8])], 7)
  expect(recent.after(6, 8)).toBeNull()
  expect(seqsAfter(recent, 7, 8)).toEqual([8])
  recent.forget()
  expect(recent.after(7, 8)).toBeNull()
})

test('keeps no more than a fixed length, the newest', () => {
  const recent = recentChanges()
  const text = 'x'.repeat(MAX_RECENT_LENGTH / 4)
  for (let seq = 1; seq <= 9; seq++) recent.add([chunkOf([seq], text)], seq - 1)
  expect(recent.after(4, 9)).toBeNull()
  expect(recent.after(5, 9)).toHaveLength(4)
  recent.add([chunkOf([10], 'x'.repeat(MAX_RECENT_LENGTH + 1))], 9)
  expect(recent.after(9, 10)).toBeNull()
  expect(recent.after(10, 10)).toEqual([])
})
