import { type Chronicle, openChronicle, type Platform } from '@chronicle-sync/client'
import type { Network } from './network.ts'

export interface Note {
  readonly title: string
  readonly text: string
}

/** A collection, as a person sees it. Their policies at the service are in `start.ts`. */
export interface Shelf {
  readonly name: string
  readonly title: string
  /** A single row. */
  readonly one: string
  readonly rule: string
}

export const SHELVES: readonly Shelf[] = [
  { name: 'notes', title: 'Notes', one: 'note', rule: 'Of two edits at the same time, the later one wins.' },
  {
    name: 'agreements',
    title: 'Agreements',
    one: 'agreement',
    rule: 'Of two edits at the same time, you choose one.',
  },
]

interface Account {
  readonly service: string
  readonly user: string
  readonly device: string
}

/** Opens the notes of a user on this device. Two devices of one browser have two stores. */
export function openNotes({ service, user, device }: Account, { platform }: Network): Promise<Chronicle> {
  return openChronicle({
    url: service,
    name: `${user}@${device}`,
    collections: SHELVES.map(({ name }) => name),
    token: () => syncToken(platform.fetch),
    platform,
  })
}

/** Asks the backend of this app. A switched-off device reaches that no more than the service. */
async function syncToken(fetch: Platform['fetch']): Promise<string> {
  const response = await fetch('/my/sync-token')
  if (!response.ok) throw new Error(await response.text())
  return response.text()
}

/** Ids ascend with time, so that the newest note is the last row. */
export function newId(): string {
  return `${Date.now().toString(36)}-${crypto.randomUUID().slice(0, 8)}`
}

export function noteOf(value: unknown): Note | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { title, text } = value as Partial<Note>
  return { title: String(title ?? ''), text: String(text ?? '') }
}

export function isSameNote(one: Note, other: Note): boolean {
  return one.title === other.title && one.text === other.text
}

/** Splits a key such as `notes/n1` into its collection and its id. */
export function partsOf(key: string): readonly [shelf: string, id: string] {
  const at = key.indexOf('/')
  return [key.slice(0, at), key.slice(at + 1)]
}
