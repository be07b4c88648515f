import { useState } from 'react'
import type { Note } from '../state/notes.ts'

interface NoteFormProps {
  readonly initial: Note
  readonly onSave: (note: Note) => void
  readonly onCancel: () => void
}

export function NoteForm({ initial, onSave, onCancel }: NoteFormProps) {
  const [{ title, text }, setNote] = useState(initial)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave({ title, text })
      }}
    >
      <input
        aria-label="New title"
        value={title}
        onChange={({ target }) => setNote({ title: target.value, text })}
      />
      <textarea
        aria-label="New text"
        rows={5}
        value={text}
        onChange={({ target }) => setNote({ title, text: target.value })}
      />
      <div className="buttons">
        <button type="submit" className="primary">
          Save this version
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  )
}
