import type { Chronicle, Row } from '@chronicle-sync/client'
import { useRows } from '@chronicle-sync/client/react'
import { Badge } from './badge.tsx'
import { type Note, newId, SHELVES, type Shelf } from './state/notes.ts'

interface ShelfListProps {
  readonly db: Chronicle
  readonly place: string
  readonly onFailed: (reason: unknown) => void
}

export function ShelfList(props: ShelfListProps) {
  return SHELVES.map((shelf) => <OneShelf key={shelf.name} shelf={shelf} {...props} />)
}

function OneShelf({ shelf, db, place, onFailed }: ShelfListProps & { readonly shelf: Shelf }) {
  const { name, title, one, rule } = shelf
  const collection = db.collection<Note>(name)
  const rows = useRows(collection)
  const create = () => {
    const id = newId()
    collection.put(id, { title: '', text: '' }).then(() => {
      location.hash = `${name}/${id}`
    }, onFailed)
  }
  return (
    <section aria-labelledby={`shelf-${name}`}>
      <div className="shelf-head">
        <h2 id={`shelf-${name}`}>{title}</h2>
        <button type="button" onClick={create} aria-label={`New ${one}`}>
          New
        </button>
      </div>
      <p className="rule">{rule}</p>
      {rows?.length === 0 && <p className="empty">There is no {one} yet.</p>}
      <ul>
        {rows?.toReversed().map((row) => (
          <li key={row.$id}>
            <Entry row={row} place={`${name}/${row.$id}`} isOpen={place === `${name}/${row.$id}`} />
          </li>
        ))}
      </ul>
    </section>
  )
}

interface EntryProps {
  readonly row: Row<Note>
  readonly place: string
  readonly isOpen: boolean
}

function Entry({ row, place, isOpen }: EntryProps) {
  return (
    <a className="entry" href={`#${place}`} aria-current={isOpen ? 'page' : undefined}>
      <strong>{row.title || 'Without a title'}</strong>
      <Badge status={row.$status} />
      <span className="snippet">{row.text.slice(0, 90)}</span>
    </a>
  )
}
