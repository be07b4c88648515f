import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toEdits } from '../../worker/src/core/change.ts'
import {
  type Chunk,
  decodeChunks,
  draftChunks,
  encodeChunk,
  versionsOf,
} from '../../worker/src/core/chunk.ts'

const chunks: fc.Arbitrary<Chunk[]> = fc.array(
  fc.record({
    frame: fc.record({
      g: fc.nat(9),
      c: fc.string(),
      b: fc.option(fc.nat()),
      t: fc.nat(),
      k: fc.integer(),
      s: fc.array(fc.nat()),
    }),
    sealed: fc.uint8Array({ maxLength: 300 }),
  }),
)

test('[SG6] chunks one after the other are read back as they were written', () => {
  fc.assert(
    fc.property(chunks, (written) => {
      const bytes = Uint8Array.from(written.flatMap((chunk) => [...encodeChunk(chunk)]))
      expect(decodeChunks(bytes).map(({ frame, sealed }) => ({ frame, sealed: [...sealed] }))).toEqual(
        written.map(({ frame, sealed }) => ({ frame, sealed: [...sealed] })),
      )
    }),
    { seed: 10 },
  )
})

test('[SG6] a segment that ends inside a chunk is an error, not a shorter log', () => {
  const chunk = encodeChunk({
    frame: { g: 1, c: 'c', b: 1, t: 1, k: 0, s: [1, 0, 0] },
    sealed: new Uint8Array(50),
  })
  for (const length of [1, 7, 20, chunk.length - 1])
    expect(() => decodeChunks(chunk.subarray(0, length))).toThrow()
})

test('[SG7] a long batch is parted, and every accepted change is in one chunk with its place', () => {
  const changes = Array.from({ length: 40 }, (_, index) => ({
    key: index % 9 === 4 ? '' : `k/${index}`,
    value: 'v'.repeat(index * 700),
    timestamp: index,
  }))
  const edits = toEdits(changes, { epoch: 'e', clock: { now: 1e9, skew: 0 }, granted: null })
  if (!edits.ok) throw new Error('refused')
  const drafts = draftChunks(edits.value.map(({ rejection, line }) => (rejection === null ? line : null)))
  expect(drafts.length).toBeGreaterThan(5)
  const read = drafts.flatMap(({ text, indexes }) => {
    const s = indexes.flatMap((index, place) => [index + 1, 0, place])
    return versionsOf({ g: 1, c: 'a', b: 1, t: 1e9, k: 0, s }, text)
  })
  const accepted = changes.flatMap((change, index) =>
    change.key === '' ? [] : [{ ...change, seq: index + 1 }],
  )
  expect(read.map(({ seq, key, value, at }) => ({ seq, key, value, timestamp: at }))).toEqual(
    accepted.map(({ seq, key, value, timestamp }) => ({ seq, key, value, timestamp })),
  )
})
