/** Pseudo-random choices that are the same in every run (mulberry32). */
export interface Random {
  /** Returns a whole number from 0, below `limit`. */
  below(limit: number): number
  pick<T>(list: readonly T[]): T
}

export function random(seed: number): Random {
  let state = seed
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
  return { below, pick: (list) => list[below(list.length)] as never }
}
