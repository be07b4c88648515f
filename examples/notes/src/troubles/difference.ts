/** A run of words of a text. */
export interface Part {
  readonly text: string
  /** Whether the other text lacks it. */
  readonly isOwn: boolean
}

/** Longer texts are not compared, as that takes time in proportion to both lengths. */
const MOST_PAIRS = 1_000_000

/** Splits a text into the parts that it shares with another one, and those that it has alone. */
export function differenceOf(text: string, other: string): readonly Part[] {
  const [words, others] = [wordsOf(text), wordsOf(other)]
  const isShared = words.length * others.length > MOST_PAIRS ? new Set() : sharedWords(words, others)
  const parts: Part[] = []
  for (const [index, word] of words.entries()) {
    const isOwn = !isShared.has(index)
    const last = parts.at(-1)
    if (last?.isOwn === isOwn) parts[parts.length - 1] = { text: last.text + word, isOwn }
    else parts.push({ text: word, isOwn })
  }
  return parts
}

/** Words, each with the space behind it. */
function wordsOf(text: string): readonly string[] {
  return text.match(/\S+\s*|\s+/g) ?? []
}

/** The indexes of the words in the longest sequence that both texts have. */
function sharedWords(words: readonly string[], others: readonly string[]): ReadonlySet<number> {
  const isSame = (one: number, other: number) => words[one]?.trim() === others[other]?.trim()
  // The length of the longest shared sequence from two words on.
  const lengths = Array.from({ length: words.length + 1 }, () => new Uint32Array(others.length + 1))
  const at = (one: number, other: number) => lengths[one]?.[other] ?? 0
  for (let one = words.length - 1; one >= 0; one--)
    for (let other = others.length - 1; other >= 0; other--) {
      const length = isSame(one, other)
        ? at(one + 1, other + 1) + 1
        : Math.max(at(one + 1, other), at(one, other + 1))
      lengths[one]?.fill(length, other, other + 1)
    }
  const shared = new Set<number>()
  for (let one = 0, other = 0; one < words.length && other < others.length; )
    if (isSame(one, other)) {
      shared.add(one)
      one += 1
      other += 1
    } else if (at(one + 1, other) >= at(one, other + 1)) one += 1
    else other += 1
  return shared
}
