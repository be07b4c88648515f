import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toEdits } from '../../../worker/src/core/batch/change.ts'
import {
  chunkTexts,
  decodeChunks,
  joinChunk,
  TAG_BYTES,
  versionsOf,
} from '../../../worker/src/core/log/chunk.ts'
import {
  type ChunkHeader,
  decodeHeader,
  encodeHeader,
  FORM,
} from '../../../worker/src/core/log/chunk-header.ts'

const steps = fc.record({
  seq: fc.integer({ min: 1, max: 1e6 }),
  previous: fc.nat(1e6),
  index: fc.nat(3),
  lift: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(1e9) }),
})

/** Frames whose numbers ascend, as the log writes them. */
const frames: fc.Arbitrary<ChunkHeader> = fc
  .record({
    g: fc.nat(9),
    c: fc.string(),
    b: fc.option(fc.nat()),
    t: fc.nat(),
    k: fc.integer(),
    steps: fc.array(steps),
  })
  .map(({ steps, ...origin }) => {
    let [seq, index] = [0, -1]
    const slots = steps.map((step) => {
      seq += step.seq
      index += 1 + step.index
      return { seq, previous: step.previous % seq, index, lift: step.lift }
    })
    return { ...origin, form: FORM, slots }
  })

const chunks = fc.array(
  fc.record({
    header: frames,
    tag: fc.uint8Array({ minLength: TAG_BYTES, maxLength: TAG_BYTES }),
    sealed: fc.uint8Array({ maxLength: 300 }),
  }),
)

function chunkOf({ header, tag, sealed }: { header: ChunkHeader; tag: Uint8Array; sealed: Uint8Array }) {
  return joinChunk({ header, headerBytes: encodeHeader(header), tag, sealed })
}

test('[SG6] chunks one after the other are read back as they were written', () => {
  fc.assert(
    fc.property(chunks, (written) => {
      const bytes = Uint8Array.from(written.flatMap((chunk) => [...chunkOf(chunk).bytes]))
      const read = decodeChunks(bytes)
      expect(read.map(({ header, tag, sealed }) => ({ header, tag: [...tag], sealed: [...sealed] }))).toEqual(
        written.map(({ header, tag, sealed }) => ({ header, tag: [...tag], sealed: [...sealed] })),
      )
      expect(Uint8Array.from(read.flatMap((chunk) => [...chunk.bytes]))).toEqual(bytes)
    }),
    { seed: 10 },
  )
})

test('[SG8] a frame of form 1 is read as layout 5 wrote it', () => {
  const written = '{"g":3,"c":"phone","b":7,"t":1795347000000,"k":-60000,"s":[41,0,0,43,12,2]}'
  expect(decodeHeader(new TextEncoder().encode(written))).toEqual({
    form: 1,
    g: 3,
    c: 'phone',
    b: 7,
    t: 1_795_347_000_000,
    k: -60_000,
    slots: [
      { seq: 41, previous: 0, index: 0, lift: 0 },
      { seq: 43, previous: 12, index: 2, lift: 0 },
    ],
  })
})

test('[SG6] bytes that are no header, or one of a later form, are an error', () => {
  for (const text of ['', '{', '{}', '[]', '{"s":1}', '{"s":["1",0,0]}', '{"v":3,"s":[]}', 'null'])
    expect(() => decodeHeader(new TextEncoder().encode(text)), text).toThrow()
})

test('[SG6] a segment that ends inside a chunk is an error, not a shorter log', () => {
  const header = { g: 1, c: 'c', b: 1, t: 1, k: 0, form: FORM, slots: [] } as const
  const { bytes } = chunkOf({ header, tag: new Uint8Array(TAG_BYTES), sealed: new Uint8Array(50) })
  for (const length of [1, 7, 20, bytes.length - 1])
    expect(() => decodeChunks(bytes.subarray(0, length))).toThrow()
})

test('[SG7] a long batch is parted, and every accepted change is in one chunk with its place', () => {
  const changes = Array.from({ length: 40 }, (_, index) => ({
    key: index % 9 === 4 ? '' : `k/${index}`,
    value: 'v'.repeat(index * 700),
    timestamp: index,
  }))
  const edits = toEdits(changes, { epoch: 'e', clock: { now: 1e9, skew: 0 }, granted: null })
  const drafts = chunkTexts(edits.map(({ rejection, line }) => (rejection === null ? line : null)))
  expect(drafts.length).toBeGreaterThan(5)
  const read = drafts.flatMap(({ text, indexes }) => {
    const slots = indexes.map((line, index) => ({ seq: line + 1, previous: 0, index, lift: 0 }))
    return versionsOf({ form: FORM, g: 1, c: 'a', b: 1, t: 1e9, k: 0, slots }, text)
  })
  const accepted = changes.flatMap((change, index) =>
    change.key === '' ? [] : [{ ...change, seq: index + 1 }],
  )
  expect(read.map(({ seq, key, value, at }) => ({ seq, key, value, timestamp: at }))).toEqual(
    accepted.map(({ seq, key, value, timestamp }) => ({ seq, key, value, timestamp })),
  )
})
