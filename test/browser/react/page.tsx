// The components that the test renders. They note each rendering, so that a needless one is seen.
import { memo, StrictMode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { type Chronicle, openChronicle, type Row } from '../../../client/src/index.ts'
import { MemoryStore } from '../../../client/src/memory.ts'
import { useRow, useRows, useStatus, useTroubles } from '../../../client/src/react.ts'

interface Note {
  readonly title: string
}

declare global {
  var db: Chronicle
  var opened: Promise<void>
  /** The names of the components that were rendered since the test cleared it. */
  var rendered: string[]
  /** Errors that React has recovered from, such as HTML that does not fit. */
  var recovered: string[]
  /** The lists of rows that were rendered. */
  var lists: Set<unknown>
  var mount: (isHydrating?: boolean) => () => void
  /** Renders everything again, although nothing has changed. */
  var again: () => void
  var html: () => string
  var text: () => string
  var pause: () => Promise<void>
}

globalThis.rendered = []
globalThis.recovered = []
globalThis.lists = new Set()

/** Every rendering makes its arguments again, as apps do. */
function List() {
  const rows = useRows(db.collection<Note>('notes'), { prefix: 'n' })
  rendered.push('List')
  if (rows === undefined) return <p>unread</p>
  lists.add(rows)
  return rows.map((row) => <Item key={row.$id} row={row} />)
}

const Item = memo(({ row }: { readonly row: Row<Note> }) => {
  rendered.push(`Item ${row.$id}`)
  return <p>{row.title}</p>
})

function One({ id }: { readonly id: string }) {
  const row = useRow(db.collection<Note>('notes'), id)
  rendered.push(`One ${id}`)
  if (row === undefined) return <p>{id} unread</p>
  return <p>{row === null ? `${id} absent` : `${id} is ${row.title}, ${row.$status}`}</p>
}

function Bar() {
  const { pending, storage } = useStatus(db)
  const troubles = useTroubles(db)
  rendered.push('Bar')
  return (
    <p>
      {pending} wait, {troubles.length} troubles, {storage}
    </p>
  )
}

const pageOf = () => (
  <StrictMode>
    <List />
    <One id="n1" />
    <One id="n9" />
    <Bar />
  </StrictMode>
)

globalThis.mount = (isHydrating = false) => {
  const onError = (error: unknown) => void recovered.push(String(error))
  const options = { onRecoverableError: onError, onUncaughtError: onError, onCaughtError: onError }
  if (isHydrating) document.body.innerHTML = html()
  const root = isHydrating
    ? hydrateRoot(document.body, pageOf(), options)
    : createRoot(document.body, options)
  globalThis.again = () => root.render(pageOf())
  if (!isHydrating) again()
  return () => root.unmount()
}

globalThis.html = () => renderToString(pageOf())
globalThis.text = () => [...document.body.querySelectorAll('p')].map((line) => line.textContent).join('\n')
globalThis.pause = () => new Promise((resolve) => setTimeout(resolve, 50))

globalThis.opened = openChronicle({
  url: 'https://sync.example.com',
  token: () => 'none',
  collections: ['notes', 'others'],
  store: new MemoryStore(),
  platform: { fetch: () => new Promise(() => {}) },
}).then((client) => {
  globalThis.db = client
})
