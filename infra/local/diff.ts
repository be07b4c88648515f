import { isDeepStrictEqual } from 'node:util'
import { type Properties, reveal } from './properties.ts'
import type { Resource } from './state.ts'

export type Operation = 'create' | 'update' | 'replace' | 'same' | 'delete' | 'read'

export interface Diff {
  readonly operation: Operation
  /** The properties that differ, each with + (new), - (gone) or ~ (changed) in front. */
  readonly changes: readonly string[]
}

/** What it takes to bring a resource from its recorded inputs to the ones that the program wants. */
export function diffOf(old: Resource | undefined, inputs: Properties, replaceOn: readonly string[]): Diff {
  if (!old) return { operation: 'create', changes: [] }
  const keys = [...new Set([...Object.keys(old.inputs), ...Object.keys(inputs)])].sort()
  const changed = keys.filter((key) => !isDeepStrictEqual(reveal(old.inputs[key]), reveal(inputs[key])))
  const changes = changed.map((key) => `${sign(old.inputs[key], inputs[key])}${key}`)
  if (changed.length === 0) return { operation: 'same', changes }
  return { operation: changed.some((key) => replaceOn.includes(key)) ? 'replace' : 'update', changes }
}

function sign(before: unknown, after: unknown): string {
  if (before === undefined) return '+'
  return after === undefined ? '-' : '~'
}
