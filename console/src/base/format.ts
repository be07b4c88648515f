const COUNT = new Intl.NumberFormat('en')
/** The Swedish form of a time is the ISO one: 2026-11-29 05:00:12. */
const TIME = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' })
const CLOCK = new Intl.DateTimeFormat('sv', { timeStyle: 'medium' })
const SPAN = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Units of time, ms, the longest first. */
const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** Formats a number as in 12,345. */
export function formatCount(count: number): string {
  return COUNT.format(count)
}

/** Formats an amount of storage with three digits, as in 1.25 MiB. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), BYTE_UNITS.length - 1)
  const amount = bytes / 1024 ** power
  const digits = power === 0 || amount >= 100 ? 0 : amount >= 10 ? 1 : 2
  return `${amount.toFixed(digits)} ${BYTE_UNITS[power]}`
}

/** Formats ms since 1970 in the zone of this machine, as in 2026-11-29 05:00:12. */
export function formatTime(at: number): string {
  return TIME.format(at)
}

/** Formats the time of day. */
export function formatClock(at: number): string {
  return CLOCK.format(at)
}

/** Formats the distance between two times, as in "3 min. ago". */
export function formatAge(at: number, now: number): string {
  const distance = at - now
  const [unit, length] = SPANS.find(([, ms]) => Math.abs(distance) >= ms) ?? ['second', 1_000]
  const amount = Math.trunc(distance / length)
  return amount === 0 ? 'just now' : SPAN.format(amount, unit)
}

/** Formats how far a clock is behind. */
export function formatSkew(ms: number): string {
  if (Math.abs(ms) < 1_000) return 'none'
  const [unit, length] = SPANS.find(([, span]) => Math.abs(ms) >= 2 * span) ?? ['second', 1_000]
  const amount = new Intl.NumberFormat('en', { style: 'unit', unit, maximumFractionDigits: 0 })
  return `${amount.format(Math.abs(ms) / length)} ${ms > 0 ? 'slow' : 'fast'}`
}

/** Shortens an id that nobody reads to its end. */
export function shorten(id: string): string {
  return id.length > 14 ? `${id.slice(0, 12)}…` : id
}
