/** One generation of a secret that is rotated. */
export interface Generation {
  readonly generation: number
  readonly secret: string
}

/** The live generations of a secret, newest first. The newest signs or seals; all of them verify or open. */
export type Generations = readonly [Generation, ...Generation[]]

const GENERATION = /^([1-9]\d{0,5}):(\S+)$/

/**
 * Parses generations such as `2:secret 1:secret`. Returns null if the text is malformed, empty, or not in descending
 * order.
 */
export function parseGenerations(text: string): Generations | null {
  const links = text.split(' ').map((link) => GENERATION.exec(link))
  const [newest, ...older] = links.map((link) => ({ generation: Number(link?.[1]), secret: link?.[2] ?? '' }))
  if (newest === undefined || links.includes(null)) return null
  const ring: Generations = [newest, ...older]
  const descends = ring.every(
    ({ generation }, index) => index === 0 || generation < (ring[index - 1]?.generation ?? 0),
  )
  return descends ? ring : null
}
