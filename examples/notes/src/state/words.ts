import type { Obstacle, RowStatus, Status, Trouble } from '@chronicle-sync/client'

/** The state of a note, in words for a person. */
export const STATUS_WORDS: Readonly<Record<RowStatus, string>> = {
  pending: 'On this device',
  synced: 'On the service',
  rejected: 'Refused',
  superseded: 'Lost to another edit',
  conflict: 'Conflict',
}

export const STORAGE_WORDS: Readonly<Record<Status['storage'], string>> = {
  persistent: 'Kept on this device',
  'best-effort': 'Kept on this device while it has space',
  memory: 'Gone when this page closes',
}

const REFUSALS: { readonly [code in string]?: string } = {
  'value-too-large': 'It is longer than the service allows (256 kB).',
  'forbidden-key': 'You may not write here.',
}

const OBSTACLES: { readonly [code in string]?: string } = {
  offline: 'The service does not answer.',
  'sign-in': 'You are signed out.',
  'other-user': 'This device holds the notes of another user. Log out first.',
  'quota-exceeded': 'There is no room left. Delete some notes.',
  storage: 'The disk of this device does not work.',
}

export function refusalOf({ code = '' }: Trouble): string {
  return REFUSALS[code] ?? `The reason is “${code}”.`
}

export function wordsOf({ code, detail }: Obstacle): string {
  return OBSTACLES[code] ?? detail
}

/** Says whether everything is saved. */
export function savedWords({ pending, troubles }: Status): string {
  if (pending > 0)
    return pending === 1 ? '1 edit waits on this device' : `${pending} edits wait on this device`
  if (troubles > 0) return troubles === 1 ? '1 edit needs you' : `${troubles} edits need you`
  return 'Every edit is on the service'
}

export function lineWords({ online, live, obstacle }: Status, isOff: boolean): string {
  if (isOff || (!online && obstacle)) return 'Offline'
  if (!online) return 'Connecting'
  return live ? 'Online, live' : 'Online'
}
