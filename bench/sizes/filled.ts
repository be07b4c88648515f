import { Readable } from 'node:stream'
import { request } from 'undici'
import { documentText, filledKey } from '../clients/entries.ts'
import type { Server } from '../servers/server.ts'

/** Fills a space with entries whose keys are in random order, so that a part of the feed is a sample of all keys. */
export type Fill = (server: Server, space: string, entries: number) => Promise<void>

/** Imports the entries into a space of the product. */
export const fillProduct: Fill = async (server, space, entries) => {
  const headers = {
    'content-type': 'application/x-ndjson',
    authorization: `Bearer ${await server.admit(space)}`,
  }
  const body = Readable.from(exportOf(space, entries))
  const reply = await request(`${server.url}/api/import`, { method: 'POST', headers, body })
  const text = await reply.body.text()
  if (!text.includes('"finished":true')) throw new Error(text)
}

/** Lets a bare object make the entries itself. */
export const fillBare: Fill = async ({ url }, space, entries) => {
  const body = documentText(filledKey(0), 0)
  const reply = await fetch(`${url}/${space}?fill=${entries}`, { method: 'POST', body })
  if (!reply.ok) throw new Error(await reply.text())
}

/** An export with made-up entries, in parts of some hundred lines. */
function* exportOf(space: string, entries: number): Generator<string> {
  const [epoch, time] = ['bench', Date.now()]
  const header = { type: 'header', format: 'chronicle-export', version: 1, space, epoch }
  yield `${JSON.stringify({ ...header, head: `${epoch}.${entries}`, exportedAt: time })}\n`
  let lines: string[] = []
  for (let count = 0; count < entries; count++) {
    const key = filledKey(scattered(count, entries))
    const version = `"timestamp":${time},"version":"${epoch}.${count + 1}","by":"importer"`
    lines.push(`{"key":"${key}","value":${documentText(key, 0)},${version}}\n`)
    if (lines.length < 500) continue
    yield lines.join('')
    lines = []
  }
  yield lines.join('')
  yield `${JSON.stringify({ type: 'end', entries, cursor: `${epoch}.${entries}` })}\n`
}

/** A step that has no factor in common with the numbers of entries. */
const STEP = 7_368_787

/** Visits each number below a count once, in an order without neighbours. */
export function scattered(index: number, count: number): number {
  return (index * STEP) % count
}
