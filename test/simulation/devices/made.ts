import type { Edit } from '../../../client/src/editor.ts'
import type { Synced } from '../../../client/src/replica/settlement.ts'
import type { QueuedEdit } from '../../../client/src/store/store.ts'

/** An edit that the app has made, and what its promises have said. */
export interface Made {
  readonly key: string
  /** Whether an edit in the store may be this one. */
  readonly fits: (edit: QueuedEdit) => boolean
  /** The edit as the store has it, once it is saved. */
  queued?: Queued
  isSaved: boolean
  /** The answer, or the code of a rejection. */
  settled?: Synced | { readonly code: string }
  failure?: string
}

/** An edit in a store, with the lives of the store that it belongs to. */
export interface Queued {
  readonly edit: QueuedEdit
  /** Names the life of the store: a cleared store begins another one. */
  readonly life: number
}

/** Follows the promises of an edit. */
export function follow({ key, fits }: Pick<Made, 'key' | 'fits'>, edit: Edit): Made {
  const made: Made = { key, fits, isSaved: false }
  edit.then(
    () => {
      made.isSaved = true
    },
    (reason: unknown) => {
      made.failure = codeOf(reason)
    },
  )
  edit.synced.then(
    (synced) => {
      made.settled = synced
    },
    (reason: unknown) => {
      made.settled = { code: codeOf(reason) }
    },
  )
  return made
}

/** The code of an error of the client, whose class is one of another build. */
export function codeOf(reason: unknown): string {
  return typeof reason === 'object' && reason !== null && 'code' in reason
    ? String(reason.code)
    : String(reason)
}
