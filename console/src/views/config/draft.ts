import type { ConfigRequest, ShownConfig } from '../../base/wire.ts'

/** A configuration while somebody edits it: what a PUT sends beside the revision and the stack. */
export type Draft = Omit<ConfigRequest, 'revision' | 'stack'>

/** Policies, with their titles. */
export const POLICIES = [
  ['lww', 'lww: the later write wins'],
  ['merge', 'merge: field by field'],
  ['manual', 'manual: somebody decides'],
  ['server-wins', 'server-wins: the stored version stays'],
  ['client-wins', 'client-wins: the sent change wins'],
] as const satisfies readonly (readonly [Draft['defaultPolicy'], string])[]

/** Takes what may be edited out of a configuration. */
export function draftOf({ revision: _revision, stack: _stack, ...draft }: ShownConfig): Draft {
  return draft
}

/** Numbers of the form, by the path of their field. */
export const NUMBERS = [
  { path: ['historyDays'], label: 'History, days', hint: 'How long replaced versions stay readable.' },
  {
    path: ['tombstoneDays'],
    label: 'Deletions, days',
    hint: 'A device that is away for longer starts over.',
  },
  { path: ['requestsPerMinute', 'client'], label: 'Requests per minute, client' },
  { path: ['requestsPerMinute', 'credential'], label: 'Requests per minute, credential' },
  { path: ['requestsPerMinute', 'space'], label: 'Requests per minute, space' },
  { path: ['quota', 'entries'], label: 'Quota, entries' },
  { path: ['quota', 'bytes'], label: 'Quota, bytes', hint: '1 GiB is 1073741824.' },
] as const

type Path = readonly string[]

/** The content at a path. */
export function at(draft: unknown, path: Path): unknown {
  return path.reduce<unknown>((parent, name) => (parent as Readonly<Record<string, unknown>>)?.[name], draft)
}

/** The draft with another content at a path. */
export function withAt<T>(draft: T, [name = '', ...rest]: Path, content: unknown): T {
  const parent = draft as Readonly<Record<string, unknown>>
  return { ...draft, [name]: rest.length === 0 ? content : withAt(parent[name], rest, content) }
}
