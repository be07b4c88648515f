// The app that the tests open in a browser. Its address says which service, token and store it uses.
import { type Chronicle, type Collection, openChronicle } from '../../client/src/index.ts'

export interface Note {
  title: string
  /** The place in a row of edits. */
  at?: number
}

declare global {
  var db: Chronicle
  var notes: Collection<Note>
  /** Resolves when the client is open. */
  var opened: Promise<void>
  /** The token that the app gives out, until a test sets another. */
  var token: string
  /** Tells the test something. It arrives even if the page ends right afterwards. */
  var report: (text: string) => void
  /** Opens a client, with a store of this name. */
  var start: (name?: string) => Promise<Chronicle>
  /** Writes notes with these names as fast as the page can, a few at a time, and reports each that is saved. */
  var writeMany: (prefix: string, count: number) => Promise<void>
  /** Shows all notes that the device has. Resolves with their number, and the time since the page began to load, ms. */
  var render: () => Promise<{ rows: number; ms: number }>
  /** The first rendering. */
  var rendered: ReturnType<typeof render>
  /** The ids of the edits that the client lists as unsynced. */
  var listUnsynced: () => Promise<string[]>
}

const address = new URL(location.href).searchParams
globalThis.token = address.get('token') ?? ''

globalThis.start = (name = address.get('name') ?? '') => {
  const url = address.get('url') ?? ''
  return openChronicle({ url, name, token: () => globalThis.token, collections: ['notes'] })
}

globalThis.writeMany = async (prefix, count) => {
  for (let at = 0; at < count; at += 1) {
    const id = `${prefix}${at}`
    notes.put(id, { title: id, at }).then(
      () => report(id),
      (thrown) => report(`FAILED ${thrown.code} ${thrown.message} ${thrown.stack}`),
    )
    if (at % 3 === 0) await new Promise((resolve) => setTimeout(resolve))
  }
}

globalThis.listUnsynced = async () => (await db.unsynced()).map(({ key }) => key.slice('notes/'.length))

globalThis.opened = start().then((client) => {
  globalThis.db = client
  globalThis.notes = client.collection<Note>('notes')
})

globalThis.render = async () => {
  const rows = await notes.all()
  const lines = rows.map(({ title }) => Object.assign(document.createElement('li'), { textContent: title }))
  document.body.replaceChildren(...lines)
  await new Promise(requestAnimationFrame)
  return { rows: rows.length, ms: Math.round(performance.now()) }
}

globalThis.rendered = opened.then(() => render())
