import { Client as Connection } from 'undici'
import type { Client, ClientOptions } from './client.ts'
import { deviceOf } from './device.ts'
import { pushing } from './device-client.ts'
import { EDITED, entriesNamed } from './entries.ts'

interface Page {
  readonly cursor: string
  readonly more: boolean
  readonly changes: readonly { readonly key: string; readonly version: string }[]
}

/** A device that edits entries of a filled space. It has read the first of them, and knows their versions. */
export async function connect(options: ClientOptions): Promise<Client> {
  const found = await readVersions(options)
  return pushing(options, deviceOf(entriesNamed([...found.keys()]), found))
}

async function readVersions({ url, credential }: ClientOptions): Promise<Map<string, string>> {
  const connection = new Connection(url)
  const headers = { authorization: `Bearer ${credential}` }
  const versions = new Map<string, string>()
  for (let cursor = '', more = true; more && versions.size < EDITED; ) {
    const path = `/api/changes?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
    const reply = await connection.request({ path, method: 'GET', headers })
    const page = (await reply.body.json()) as Page
    for (const { key, version } of page.changes) versions.set(key, version)
    cursor = page.cursor
    more = page.more
  }
  await connection.close()
  return versions
}
