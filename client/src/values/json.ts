import { messageOf } from './errors.ts'
import type { Json } from './wire.ts'

/** A copy that nobody else changes, and that is what the service will get. */
export function jsonOf(value: unknown, key: string): Json {
  const text = textOf(value, key)
  if (text === undefined)
    throw new TypeError(`the value of ${key} has no JSON. To delete a row, call delete()`)
  return JSON.parse(text) as Json
}

function textOf(value: unknown, key: string): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new TypeError(`the value of ${key} has no JSON: ${messageOf(cause)}`, { cause })
  }
}
