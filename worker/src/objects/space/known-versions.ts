import { MAX_KNOWN_BLOCKS } from '../../core/values/limits.ts'

/**
 * What readers have found out about versions in the log: whether each is the current one of its key. The next reader then
 * looks up no entry row for them. A large space keeps each of these rows in a database page of its own.
 *
 * The record stays true because no version becomes current again, and every write of entry rows names the versions that
 * are current no longer. A space begins a new record when sequence numbers begin anew, or an import has written entries:
 * what a reader finds out that was under way belongs to the old one.
 */
export interface KnownVersions {
  /** Whether a version is current; undefined if it is not known. */
  isCurrent(seq: number): boolean | undefined
  /** Takes what an entry row has told. */
  learn(seq: number, isCurrent: boolean): void
  /** Takes versions that are current no longer. */
  retire(seqs: Iterable<number>): void
}

/** Sequence numbers that share an array, one byte each. */
const BLOCK = 1000

const UNKNOWN = 0
const CURRENT = 1
const REPLACED = 2

export function knownVersions(): KnownVersions {
  const blocks = new Map<number, Uint8Array>()

  function beginBlock(number: number): Uint8Array {
    // A block is dropped at random: the oldest one would be the next that a reader of the whole feed needs.
    if (blocks.size >= MAX_KNOWN_BLOCKS) {
      const numbers = [...blocks.keys()]
      blocks.delete(numbers[Math.floor(Math.random() * numbers.length)] as number)
    }
    const block = new Uint8Array(BLOCK)
    blocks.set(number, block)
    return block
  }

  return {
    isCurrent(seq) {
      const known = blocks.get(Math.floor(seq / BLOCK))?.[seq % BLOCK] ?? UNKNOWN
      return known === UNKNOWN ? undefined : known === CURRENT
    },

    learn(seq, isCurrent) {
      const number = Math.floor(seq / BLOCK)
      const block = blocks.get(number) ?? beginBlock(number)
      block[seq % BLOCK] = isCurrent ? CURRENT : REPLACED
    },

    retire(seqs) {
      for (const seq of seqs) {
        const block = blocks.get(Math.floor(seq / BLOCK))
        if (block !== undefined) block[seq % BLOCK] = REPLACED
      }
    },
  }
}
