/** The clear part of a chunk: everything that is known without a key. */
export interface ChunkHeader extends Origin {
  /** The form of the chunk: see `FORM`. */
  readonly form: 1 | typeof FORM
  /** The stored changes, in the order of their sequence numbers. */
  readonly slots: readonly Slot[]
}

/** The part of a header that is known before the decision. The seal covers it. */
export interface Origin {
  /** The generation of the key that sealed the content. */
  readonly g: number
  /** The client and its batch number; null for an un-numbered batch. */
  readonly c: string
  readonly b: number | null
  /** When the batch arrived, and the skew of its client's clock; ms. */
  readonly t: number
  readonly k: number
}

/** The location of one stored change. */
export interface Slot {
  readonly seq: number
  /** The version that it replaced or lost to; `NOTHING` without one. */
  readonly previous: number
  /** Its index in the content. */
  readonly index: number
  /** How far the space raised its time past the client's corrected one, ms; 0 for nearly every change. */
  readonly lift: number
}

/** The form in which chunks are written. Form 1 has no tag over its header and no lifts. */
export const FORM = 2

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Encodes a header. Sequence numbers and indexes are written as differences from the slot before, and replaced versions
 * as distances, so that a slot of a typical batch takes six characters. The rare lifts are pairs of position and lift.
 */
export function encodeHeader({ g, c, b, t, k, slots }: Omit<ChunkHeader, 'form'>): Uint8Array {
  const s: number[] = []
  const l: number[] = []
  let [last, next] = [0, 0]
  for (const [position, { seq, previous, index, lift }] of slots.entries()) {
    s.push(seq - last, previous === 0 ? 0 : seq - previous, index - next)
    if (lift !== 0) l.push(position, lift)
    last = seq
    next = index + 1
  }
  return encoder.encode(JSON.stringify({ v: FORM, g, c, b, t, k, s, ...(l.length > 0 && { l }) }))
}

/** Decodes a header of either form. Throws on bytes that are not a header. */
export function decodeHeader(bytes: Uint8Array): ChunkHeader {
  const { v = 1, g, c, b, t, k, s, l = [] } = JSON.parse(decoder.decode(bytes)) as Encoded
  const origin = { g, c, b, t, k }
  if (!isNumbers(s) || !isNumbers(l)) throw new TypeError('a chunk header without the slots of its changes')
  if (v === 1) return { ...origin, form: 1, slots: absoluteSlots(s) }
  if (v !== FORM) throw new RangeError(`a chunk header of form ${v}: deploy the newer version again`)
  return { ...origin, form: FORM, slots: relativeSlots(s, l) }
}

type Encoded = Origin & {
  readonly v?: number
  readonly s: readonly number[]
  readonly l?: readonly number[]
}

function isNumbers(list: unknown): list is readonly number[] {
  return Array.isArray(list) && list.every((item) => typeof item === 'number')
}

/** Form 1 wrote absolute numbers. */
function absoluteSlots(s: readonly number[]): readonly Slot[] {
  const slots: Slot[] = []
  for (let at = 0; at < s.length; at += 3) {
    const [seq = 0, previous = 0, index = 0] = s.slice(at, at + 3)
    slots.push({ seq, previous, index, lift: 0 })
  }
  return slots
}

function relativeSlots(s: readonly number[], l: readonly number[]): readonly Slot[] {
  const lifts = new Map<number, number>()
  for (let at = 0; at < l.length; at += 2) lifts.set(l[at] as number, l[at + 1] as number)
  const slots: Slot[] = []
  let [seq, next] = [0, 0]
  for (let at = 0; at < s.length; at += 3) {
    seq += s[at] as number
    const distance = s[at + 1] as number
    const index = next + (s[at + 2] as number)
    slots.push({
      seq,
      previous: distance === 0 ? 0 : seq - distance,
      index,
      lift: lifts.get(slots.length) ?? 0,
    })
    next = index + 1
  }
  return slots
}

/** The first and the last sequence number of a header; 0 without any. */
export function firstSeq({ slots }: Pick<ChunkHeader, 'slots'>): number {
  return slots[0]?.seq ?? 0
}

export function lastSeq({ slots }: Pick<ChunkHeader, 'slots'>): number {
  return slots.at(-1)?.seq ?? 0
}

export function holds({ slots }: Pick<ChunkHeader, 'slots'>, seq: number): boolean {
  return slots.some((slot) => slot.seq === seq)
}
