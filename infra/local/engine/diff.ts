import { isDeepStrictEqual } from 'node:util'
import { isObject, isSecret, type Properties, reveal } from './properties.ts'
import type { Resource } from './state.ts'

export type Operation = 'create' | 'update' | 'replace' | 'same' | 'delete' | 'read'

export interface Diff {
  readonly operation: Operation
  readonly changes: readonly Change[]
}

/** One value that differs. Before is undefined for a new one, after for one that goes. Secrets keep their mark. */
export interface Change {
  /** Like `bindings.SYNC_LIMIT.simple.limit` or `steps[0]`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
  /** Whether the provider would make the resource anew for it. */
  readonly replaces: boolean
}

/** What it takes to bring a resource from its recorded inputs to the ones that the program wants. */
export function diffOf(old: Resource | undefined, inputs: Properties, replaceOn: readonly string[]): Diff {
  if (!old) return { operation: 'create', changes: [] }
  const changes = changesBetween(old.inputs, inputs, replaceOn)
  if (changes.length === 0) return { operation: 'same', changes }
  return { operation: changes.some(({ replaces }) => replaces) ? 'replace' : 'update', changes }
}

/** All that differs between two sets of properties. */
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
 * Everything that differs between two values, leaf by leaf. Lists of named things in the order of their names
 * are compared by name, so that a new one does not shift the rest; other lists by position, as providers do.
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

/** The sign of a change: new, gone or changed. */
export function signOf({ before, after }: Change): string {
  if (before === undefined) return '+'
  return after === undefined ? '-' : '~'
}

type Named = readonly { readonly name: string }[]

/** Whether it is a list of things that have names, in the order of those, no name twice. */
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
