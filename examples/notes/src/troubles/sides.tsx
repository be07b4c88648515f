import type { Note } from '../state/notes.ts'
import { differenceOf } from './difference.ts'

interface SidesProps {
  readonly mine: Note | undefined
  readonly theirs: Note | undefined
}

/** Two versions beside each other, with the part that differs marked. A version without a note is a deletion. */
export function Sides({ mine, theirs }: SidesProps) {
  return (
    <div className="sides">
      <Side name="Mine" note={mine} other={theirs} />
      <Side name="Theirs" note={theirs} other={mine} />
    </div>
  )
}

interface SideProps {
  readonly name: string
  readonly note: Note | undefined
  readonly other: Note | undefined
}

function Side({ name, note, other }: SideProps) {
  return (
    <section className="side" aria-label={name}>
      <h4>{name}</h4>
      {note === undefined ? (
        <p className="empty">Deleted</p>
      ) : (
        <>
          <p className="side-title">
            <Marked text={note.title} other={other?.title} />
          </p>
          <p>
            <Marked text={note.text} other={other?.text} />
          </p>
        </>
      )}
    </section>
  )
}

function Marked({ text, other = text }: { readonly text: string; readonly other?: string | undefined }) {
  let start = 0
  return differenceOf(text, other).map((part) => {
    const key = start
    start += part.text.length
    return part.isOwn ? <mark key={key}>{part.text}</mark> : <span key={key}>{part.text}</span>
  })
}
