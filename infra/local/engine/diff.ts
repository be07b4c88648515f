import { isDeepStrictEqual } from 'node:util'
import { isObject, isSecret, type Properties, reveal } from './properties.ts'
import type { Resource } from './state.ts'

export type Operation = 'create' | 'update' | 'replace' | 'same' | 'delete'

export interface Diff {
  readonly operation: Operation
  readonly changes: readonly Change[]
}

/** One value that differs. `before` is undefined for a new value, `after` for a removed one. Secrets keep their mark. */
export interface Change {
  /** Like `bindings.SYNC_LIMIT.simple.limit` or `steps[0]`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
  /** Whether the provider would replace the resource because of this value. */
  readonly replaces: boolean
}

/** The operation that brings a resource from its saved inputs to the wanted ones. */
export function diffOf(old: Resource | undefined, inputs: Properties, replaceOn: readonly string[]): Diff {
  if (!old) return { operation: 'create', changes: [] }
  const changes = changesBetween(old.inputs, inputs, replaceOn)
  if (changes.length === 0) return { operation: 'same', changes }
  return { operation: changes.some(({ replaces }) => replaces) ? 'replace' : 'update', changes }
}

/** All differences between two sets of properties. */
export function changesBetween(
  before: Properties,
  after: Properties,
  replaceOn: readonly string[] = [],
): readonly Change[] {
  return keysOf(before, after).flatMap((key) =>
    differences(key, before[key], after[key]).map((change) => ({
      ...change,
      replaces: replaceOn.includes(key),
    })),
  )
}

/**
 * All differences between two values, leaf by leaf. Lists of named items that are sorted by name are compared by name,
 * so that a new item does not shift the rest. Other lists are compared by position, as providers do.
 */
function differences(path: string, before: unknown, after: unknown): readonly Change[] {
  if (isDeepStrictEqual(reveal(before), reveal(after))) return []
  if (isNamed(before) && isNamed(after)) return differences(path, byName(before), byName(after))
  if (Array.isArray(before) && Array.isArray(after)) {
    const longest = before.length > after.length ? before : after
    return longest.flatMap((_, at) => differences(`${path}[${at}]`, before[at], after[at]))
  }
  if (isPlain(before) && isPlain(after)) {
    return keysOf(before, after).flatMap((key) => differences(`${path}.${key}`, before[key], after[key]))
  }
  return [{ path, before, after, replaces: false }]
}

/** The sign of a change: `+` for a new value, `-` for a removed one, `~` for a changed one. */
export function signOf({ before, after }: Change): string {
  if (before === undefined) return '+'
  return after === undefined ? '-' : '~'
}

type Named = readonly { readonly name: string }[]

/** Whether the value is a list of items with unique names, sorted by name. */
function isNamed(value: unknown): value is Named {
  if (!Array.isArray(value)) return false
  const names = value.map((item) => (isPlain(item) ? item.name : undefined))
  return names.every((name, at) => typeof name === 'string' && (at === 0 || String(names[at - 1]) < name))
}

function byName(list: Named): Properties {
  return Object.fromEntries(list.map((item) => [item.name, item]))
}

function isPlain(value: unknown): value is Properties {
  return isObject(value) && !isSecret(value)
}

function keysOf(before: Properties, after: Properties): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
}
