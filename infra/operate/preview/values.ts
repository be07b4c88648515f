import { isObject, type Properties, redact, UNKNOWN } from '../../local/engine/properties.ts'

/** Formats a value on one line, without secrets. */
export function show(value: unknown): string {
  const shown = redact(value)
  if (shown === UNKNOWN) return '(known afterwards)'
  if (typeof shown === 'string') return shown === '' ? '""' : shown
  return (JSON.stringify(shown) ?? '(none)').replaceAll(`"${UNKNOWN}"`, '(known afterwards)')
}

/** Formats a change of a value, like `600 per 60 s -> 30 per 60 s`. */
export function showChange(before: unknown, after: unknown): string {
  return `${before === undefined ? '(none)' : show(before)} -> ${after === undefined ? '(none)' : show(after)}`
}

/** The value as an object; an empty one for anything else. */
export function objectOf(value: unknown): Properties {
  return isObject(value) ? value : {}
}

/** Parses a JSON list of texts; an empty list for anything else. */
export function listOf(text: unknown): readonly string[] {
  if (typeof text !== 'string' || !text.startsWith('[')) return []
  return JSON.parse(text)
}

/** Formats a size like `351.2 kB`. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
