/** Content of the service, read over plain HTTP by somebody else than the client under test. */
export interface Held {
  /** The live notes by id. */
  readonly notes: ReadonlyMap<string, unknown>
  /** How many versions the space has given out. */
  readonly versions: number
}

interface Page {
  readonly changes: readonly { key: string; value?: unknown; deleted?: boolean }[]
  readonly cursor: string
  readonly head: string
  readonly more: boolean
}

/** Another device of the user, which speaks plain HTTP. */
export interface Reader {
  held(): Promise<Held>
  /** The titles that a note has had, the oldest first. */
  titlesOf(id: string): Promise<readonly unknown[]>
  /** Writes notes. */
  write(notes: Readonly<Record<string, object>>): Promise<void>
}

interface Init {
  readonly method?: string
  readonly body?: object
}

export async function readerOf(service: string, token: string): Promise<Reader> {
  const { session } = (await ask('/api/auth', { method: 'POST', body: { token } })) as { session: string }

  async function ask(path: string, { method = 'GET', body }: Init, bearer = '') {
    const response = await fetch(service + path, {
      method,
      headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  const request = (path: string, init: Init = {}): Promise<unknown> => ask(path, init, session)

  return {
    async held() {
      const notes = new Map<string, unknown>()
      let cursor = ''
      let page: Page
      do {
        page = (await request(`/api/changes${cursor && `?cursor=${encodeURIComponent(cursor)}`}`)) as Page
        cursor = page.cursor
        for (const { key, value, deleted } of page.changes) {
          const id = key.slice('notes/'.length)
          if (deleted) notes.delete(id)
          else notes.set(id, value)
        }
      } while (page.more)
      return { notes, versions: Number(page.head.split('.').at(-1)) }
    },
    async titlesOf(id) {
      const { versions } = (await request(`/api/history?key=notes/${id}`)) as {
        versions: readonly { value?: { title: unknown } }[]
      }
      return versions.map(({ value }) => value?.title).reverse()
    },
    async write(notes) {
      const timestamp = Date.now()
      const changes = Object.entries(notes).map(([id, value]) => ({ key: `notes/${id}`, value, timestamp }))
      for (let at = 0; at < changes.length; at += 500)
        await request('/api/sync', { method: 'POST', body: { changes: changes.slice(at, at + 500) } })
    },
  }
}
