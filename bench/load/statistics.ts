/** The middle of several rounds, and how far they lie apart. */
export interface Spread {
  readonly low: number
  readonly middle: number
  readonly high: number
}

export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0), middle: quantile(values, 0.5), high: quantile(values, 1) }
}

/** The value below which a part of the values lies; between two neighbours, their mean by distance. 0 for no values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = part * (sorted.length - 1)
  const lower = sorted[Math.floor(place)] ?? 0
  const upper = sorted[Math.ceil(place)] ?? 0
  return lower + (upper - lower) * (place - Math.floor(place))
}

/** The quotients of two series, round by round. */
export function ratios(values: readonly number[], others: readonly number[]): readonly number[] {
  return values.map((value, round) => value / (others[round] ?? Number.NaN))
}

/** A spread as people read it: `1.24 (1.20 to 1.31)`. */
export function spreadText({ low, middle, high }: Spread, digits = 2): string {
  return `${middle.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}
