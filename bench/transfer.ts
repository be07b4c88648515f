// `npm run bench:transfer -- 100000`: exports a space and imports it into an empty one. Prints the seconds and the
// runtime's memory.
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { request } from 'undici'
import { residentMiB } from './load/process.ts'
import { serveProduct } from './servers/product.ts'

const ENTRIES = Number(process.argv[2] ?? 10_000)
const BATCH = 500
const SAMPLE_MS = 20

const folder = mkdtempSync(join(tmpdir(), 'chronicle-transfer-'))
const cloud = await serveProduct(folder)
try {
  const file = join(folder, 'export.ndjson')
  const [source, target] = [await cloud.admit('source'), await cloud.admit('target')]
  await watched('fill', () => fill(source))
  await watched('export', () => download(source, file))
  await watched('import', () => upload(target, file))
  await download(target, `${file}.again`)
  const same = await isSame(file, `${file}.again`)
  console.log(`the import ${same ? 'equals' : 'DIFFERS FROM'} the export, except for versions`)
} finally {
  await cloud.stop()
  rmSync(folder, { recursive: true })
}

async function fill(session: string): Promise<void> {
  const body = 'lorem ipsum '.repeat(13)
  for (let start = 0; start < ENTRIES; start += BATCH) {
    const timestamp = Date.now()
    const changes = Array.from({ length: Math.min(BATCH, ENTRIES - start) }, (_, n) => {
      const key = `n/${start + n}`
      return { key, value: { id: key, title: `Entry ${n}`, tags: ['a', 'b'], done: false, body }, timestamp }
    })
    await post('/api/sync', session, { changes })
  }
}

async function download(session: string, file: string): Promise<void> {
  const headers = { authorization: `Bearer ${session}` }
  const { statusCode, body } = await request(`${cloud.url}/api/export`, { headers })
  if (statusCode !== 200) throw new Error(await body.text())
  await pipeline(body, createWriteStream(file))
}

async function upload(session: string, file: string): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${session}` }
  const sent = { method: 'POST', headers, body: createReadStream(file) } as const
  const reply = await (await request(`${cloud.url}/api/import`, sent)).body.text()
  if (!reply.includes('"finished":true')) throw new Error(reply)
}

/** Whether two exports hold the same entries in the same order. */
async function isSame(file: string, other: string): Promise<boolean> {
  const [ours, theirs] = [entriesOf(file), entriesOf(other)]
  for (;;) {
    const [a, b] = [await ours.next(), await theirs.next()]
    if (a.done || b.done) return a.done === b.done
    if (a.value !== b.value) return false
  }
}

async function* entriesOf(file: string): AsyncGenerator<string, void> {
  for await (const line of createInterface(createReadStream(file))) {
    const { type, version: _, ...entry } = JSON.parse(line)
    if (type === undefined) yield JSON.stringify(entry)
  }
}

/** Prints how long the work takes, and the peak of the runtime's memory meanwhile. */
async function watched(name: string, work: () => Promise<void>): Promise<void> {
  const [before, began] = [memory(), performance.now()]
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, memory())
  }, SAMPLE_MS)
  await work()
  clearInterval(timer)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${name}: ${ENTRIES} entries in ${seconds} s, memory ${before} MiB, at most ${peak} MiB`)
}

function memory(): number {
  return Math.round(residentMiB(cloud.pid))
}

async function post(path: string, bearer: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
  const response = await fetch(cloud.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Record<string, string>
}
