import { expect, test } from 'vitest'
import type { ChunkHeader } from '../../../worker/src/core/log/chunk-header.ts'
import { MAX_RECENT_CHANGES, MAX_RECENT_LENGTH } from '../../../worker/src/core/values/limits.ts'
import {
  type ClearChunk,
  type RecentChanges,
  recentChanges,
} from '../../../worker/src/objects/space/recent-changes.ts'

/** A chunk with one change for each sequence number, with a text of a length if one is given. */
function chunkOf(seqs: readonly number[], length = 0): ClearChunk {
  const slots = seqs.map((seq, index) => ({ seq, previous: 0, index, lift: 0 }))
  const header: ChunkHeader = { form: 2, g: 1, c: 'a', b: 1, t: 1, k: 0, slots }
  const text = JSON.stringify(seqs.map((seq) => [`k/${seq}`, 1, null, 0, seq]))
  return { header, text: text.padEnd(length) }
}

/** Describes a version by its value. */
function after(recent: RecentChanges, seq: number, last: number) {
  return recent.after(seq, last, ({ value }) => `value ${value}`)
}

function seqsAfter(recent: RecentChanges, seq: number, last: number): readonly number[] | undefined {
  return after(recent, seq, last)?.flatMap(({ versions }) => versions.map((version) => version.seq))
}

test('returns the chunks with changes after a position, up to the last one in use', () => {
  const recent = recentChanges()
  expect(after(recent, 0, 0)).toEqual([])
  recent.add([chunkOf([1]), chunkOf([2, 3])], 0)
  recent.add([chunkOf([4])], 3)
  expect(seqsAfter(recent, 0, 4)).toEqual([1, 2, 3, 4])
  expect(seqsAfter(recent, 2, 4)).toEqual([2, 3, 4])
  expect(seqsAfter(recent, 4, 4)).toEqual([])
  expect(after(recent, 1, 4)?.[0]?.versions).toMatchObject([
    { seq: 2, key: 'k/2', text: 'value 2', by: 'a' },
    { seq: 3 },
  ])
})

test('returns nothing if something else has written to the log', () => {
  const recent = recentChanges()
  recent.add([chunkOf([1])], 0)
  expect(after(recent, 0, 5)).toBeNull()
  recent.add([chunkOf([6])], 5)
  expect(after(recent, 0, 6)).toBeNull()
  expect(after(recent, 4, 6)).toBeNull()
  expect(seqsAfter(recent, 5, 6)).toEqual([6])
})

test('begins with what an object has written since it woke', () => {
  const recent = recentChanges()
  recent.add([chunkOf([8])], 7)
  expect(after(recent, 6, 8)).toBeNull()
  expect(seqsAfter(recent, 7, 8)).toEqual([8])
  recent.forget()
  expect(after(recent, 7, 8)).toBeNull()
})

test('keeps no more than a fixed length, the newest', () => {
  const recent = recentChanges()
  for (let seq = 1; seq <= 9; seq++) recent.add([chunkOf([seq], MAX_RECENT_LENGTH / 4)], seq - 1)
  expect(after(recent, 4, 9)).toBeNull()
  expect(after(recent, 5, 9)).toHaveLength(4)
  recent.add([chunkOf([10], MAX_RECENT_LENGTH + 1)], 9)
  expect(after(recent, 9, 10)).toBeNull()
  expect(after(recent, 10, 10)).toEqual([])
})

test('keeps no more than a fixed number of changes', () => {
  const recent = recentChanges()
  for (let seq = 1; seq <= MAX_RECENT_CHANGES + 3; seq++) recent.add([chunkOf([seq])], seq - 1)
  expect(after(recent, 2, MAX_RECENT_CHANGES + 3)).toBeNull()
  expect(after(recent, 3, MAX_RECENT_CHANGES + 3)).toHaveLength(MAX_RECENT_CHANGES)
})

test('describes a version once, and keeps its value no longer', () => {
  const recent = recentChanges()
  recent.add([chunkOf([1])], 0)
  const first = after(recent, 0, 1)
  expect(first).toMatchObject([{ versions: [{ key: 'k/1', text: 'value 1' }] }])
  expect(first?.[0]?.versions[0]).not.toHaveProperty('value')
  expect(recent.after(0, 1, () => 'again')).toEqual(first)
})
