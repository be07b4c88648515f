import type { Collection, Row } from '@chronicle-sync/client'
import { useEffect, useRef, useState } from 'react'
import { isSameNote, type Note, noteOf } from './notes.ts'

/** How long typed text waits at most until it is saved on the device, ms. */
const SAVE_MS = 400

interface Draft {
  readonly value: Note
  /** The row that the user saw when the typing began. */
  readonly seen: Row<Note>
}

type Failed = (reason: unknown) => void

/**
 * The text of an editor. It is the row, except while the user types. If another device changes the row meanwhile, the
 * edit is saved on the version that the user saw, so that the policy of the collection decides and nothing is lost.
 */
export function useDraft(
  collection: Collection<Note>,
  row: Row<Note>,
  onFailed: Failed,
): readonly [Note, (change: Partial<Note>) => void] {
  const [draft, setDraft] = useState<Draft>()
  const saved = useRef<Note>(undefined)
  const latest = useRef({ draft, row })
  useEffect(() => {
    latest.current = { draft, row }
  })

  const isTyping = draft !== undefined
  useEffect(() => {
    if (!isTyping) return
    const save = () => saveLatest(collection, latest.current, saved, onFailed)
    const timer = setInterval(save, SAVE_MS)
    window.addEventListener('pagehide', save)
    return () => {
      clearInterval(timer)
      window.removeEventListener('pagehide', save)
      save()
      saved.current = undefined
    }
  }, [collection, isTyping, onFailed])

  // The row shows what was saved, or what became of it.
  useEffect(() => {
    setDraft((typed) => {
      const isSaved = saved.current !== undefined && typed && isSameNote(typed.value, saved.current)
      return typed && (isSaved || isSameNote(typed.value, row)) ? undefined : typed
    })
  }, [row])

  const shown = noteOf(row) as Note
  const change = (part: Partial<Note>) =>
    setDraft((typed) => {
      const value = { ...(typed?.value ?? shown), ...part }
      const isUndone = saved.current === undefined && isSameNote(value, shown)
      return isUndone ? undefined : { value, seen: typed?.seen ?? row }
    })
  return [draft?.value ?? shown, change]
}

function saveLatest(
  collection: Collection<Note>,
  { draft, row }: { readonly draft: Draft | undefined; readonly row: Row<Note> },
  saved: { current: Note | undefined },
  onFailed: Failed,
): void {
  if (draft === undefined || isSameNote(draft.value, row)) return
  const before = saved.current
  if (before && isSameNote(draft.value, before)) return
  const isOwn = isSameNote(row, draft.seen) || (before !== undefined && isSameNote(row, before))
  saved.current = draft.value
  collection.put(row.$id, draft.value, isOwn ? {} : { base: draft.seen.$version }).catch(onFailed)
}
