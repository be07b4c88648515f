import type { Collection, Row } from '@chronicle-sync/client'
import { useRow } from '@chronicle-sync/client/react'
import { useEffect, useRef, useState } from 'react'
import { Badge } from './badge.tsx'
import { useDraft } from './state/draft.ts'
import type { Note } from './state/notes.ts'

interface EditorProps {
  readonly collection: Collection<Note>
  readonly id: string
  readonly onFailed: (reason: unknown) => void
}

export function Editor({ collection, id, onFailed }: EditorProps) {
  const row = useRow(collection, id)
  return (
    <article className="note" aria-label="Note">
      {row === null && <p className="empty">This note is not there. It may have been deleted.</p>}
      {row && <Fields collection={collection} row={row} onFailed={onFailed} />}
    </article>
  )
}

interface FieldsProps extends Omit<EditorProps, 'id'> {
  readonly row: Row<Note>
}

function Fields({ collection, row, onFailed }: FieldsProps) {
  const [{ title, text }, change] = useDraft(collection, row, onFailed)
  const titleField = useRef<HTMLInputElement>(null)
  const [isNew] = useState(row.title === '' && row.text === '')
  useEffect(() => {
    if (isNew) titleField.current?.focus()
  }, [isNew])
  const remove = () => {
    collection.delete(row.$id).then(() => {
      location.hash = ''
    }, onFailed)
  }
  return (
    <>
      <input
        ref={titleField}
        className="title"
        aria-label="Title"
        placeholder="Title"
        value={title}
        onChange={({ target }) => change({ title: target.value })}
      />
      <div className="note-bar">
        <Badge status={row.$status} />
        <button type="button" className="quiet" onClick={remove}>
          Delete
        </button>
      </div>
      <textarea
        className="text"
        aria-label="Text"
        placeholder="Write here. It is saved on this device first."
        value={text}
        onChange={({ target }) => change({ text: target.value })}
      />
    </>
  )
}
