import type { Chronicle, Trouble } from '@chronicle-sync/client'
import { useTroubles } from '@chronicle-sync/client/react'
import { useState } from 'react'
import { type Note, noteOf } from '../state/notes.ts'
import { refusalOf } from '../state/words.ts'
import { NoteForm } from './note-form.tsx'
import { Sides } from './sides.tsx'

type Failed = (reason: unknown) => void

interface TroubleListProps {
  readonly db: Chronicle
  readonly place: string
  readonly onFailed: Failed
}

/** The edits that need attention: all of them, or those of the note that is open. */
export function TroubleList({ db, place, onFailed }: TroubleListProps) {
  const troubles = useTroubles(db).filter(({ key }) => place === '' || key === place)
  if (troubles.length === 0) return null
  return (
    <section className="troubles" aria-label="Needs attention">
      {troubles.map((trouble) => (
        <Card key={`${trouble.key} ${trouble.timestamp}`} trouble={trouble} onFailed={onFailed} />
      ))}
    </section>
  )
}

interface CardProps {
  readonly trouble: Trouble
  readonly onFailed: Failed
}

function Card({ trouble, onFailed }: CardProps) {
  const { status, mine, theirs } = trouble
  const title = noteOf(mine)?.title || noteOf(theirs)?.title || 'Without a title'
  return (
    <article className={`trouble ${status}`} aria-label={`${HEADINGS[status]}: ${title}`}>
      <h3>
        {HEADINGS[status]}: <em>{title}</em>
      </h3>
      <p>{reasonOf(trouble)}</p>
      {(status === 'conflict' || status === 'superseded') && (
        <Sides mine={noteOf(mine)} theirs={noteOf(theirs)} />
      )}
      <Ways trouble={trouble} onFailed={onFailed} />
    </article>
  )
}

const HEADINGS: Readonly<Record<Trouble['status'], string>> = {
  rejected: 'Refused',
  superseded: 'Lost to another edit',
  conflict: 'Conflict',
  orphaned: 'Only on this device',
}

function reasonOf(trouble: Trouble): string {
  switch (trouble.status) {
    case 'rejected':
      return refusalOf(trouble)
    case 'superseded':
      return 'Another device has written a later version. Yours is kept here.'
    case 'conflict':
      return 'Two devices wrote at the same time. Choose the version that counts.'
    case 'orphaned':
      return 'The service was set back and no longer has this version.'
  }
}

/** The ways out of a trouble. Each is an edit of this device, so it works offline too. */
function Ways({ trouble, onFailed }: CardProps) {
  const [isWriting, setWriting] = useState(false)
  const { status, mine, theirs } = trouble
  const isConflict = status === 'conflict'
  const decide = (edit: Promise<void>) => void edit.catch(onFailed)
  const write = (value: Note) =>
    decide(isConflict ? trouble.resolve({ value: { ...value } }) : trouble.retry({ ...value }))
  if (isWriting)
    return <NoteForm initial={startOf(trouble)} onSave={write} onCancel={() => setWriting(false)} />
  return (
    <div className="buttons">
      {isConflict ? (
        <>
          <button type="button" className="primary" onClick={() => decide(trouble.resolve('mine'))}>
            Keep mine
          </button>
          <button type="button" className="primary" onClick={() => decide(trouble.resolve('theirs'))}>
            Keep theirs
          </button>
        </>
      ) : (
        <>
          <button type="button" className="primary" onClick={() => decide(trouble.retry())}>
            {status === 'superseded' ? 'Use mine anyway' : 'Try again'}
          </button>
          <button type="button" onClick={() => decide(trouble.discard())}>
            {theirs === undefined ? 'Discard' : 'Keep theirs'}
          </button>
        </>
      )}
      {mine !== undefined && (
        <button type="button" onClick={() => setWriting(true)}>
          {isConflict ? 'Combine' : 'Change it'}
        </button>
      )}
    </div>
  )
}

/** The text to begin with: both sides of a conflict, or the edit itself. */
function startOf({ status, mine, theirs }: Trouble): Note {
  const own = noteOf(mine) ?? { title: '', text: '' }
  const other = noteOf(theirs)
  if (status !== 'conflict' || !other || other.text === own.text) return own
  return { title: own.title, text: `${own.text}\n\n${other.text}` }
}
