import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { decodeChunks } from '../../../worker/src/core/log/chunk.ts'
import type { ChunkHeader } from '../../../worker/src/core/log/chunk-header.ts'
import type { Device } from '../../support/worker/client.ts'

/** Time of the first write of `fill`, ms. */
export const T = Date.now() - 60_000

/** Writes keys repeatedly, some deleted, some in conflict, enough for several rows. */
export async function fill({ a, b }: { a: Device; b: Device }, rounds = 12): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const changes = Array.from({ length: 40 }, (_, index) => {
      const key = `k/${(round * 7 + index * 4) % 90}`
      const timestamp = T + round * 100 + index
      return index % 9 === 0
        ? { key, deleted: true, timestamp }
        : { key, value: text(round, index), timestamp }
    })
    expect((await (round % 3 === 0 ? b : a).sync({ changes })).body.success).toBe(true)
  }
}

/** Value of a change of `fill`. */
export function text(round: number, index: number): string {
  return `${round}.${index} ключ `.repeat(20)
}

/** Reads the whole feed in pages of `limit` entries. */
export async function feed(by: Device, limit: number): Promise<unknown[]> {
  const entries: unknown[] = []
  for (let cursor: string | null = null; ; ) {
    const { body } = await by.sync({ changes: [], cursor, limit })
    expect(body.reset).toBe(false)
    entries.push(...body.changes)
    cursor = body.cursor
    if (!body.more) return entries
  }
}

/** Reads all conflicts, page by page. The end of a page depends on the bytes read for it. */
export async function conflicts(by: Device): Promise<unknown[]> {
  const found: unknown[] = []
  for (let after = 0; ; ) {
    const { body } = await by.get(`/api/conflicts?after=${after}`)
    found.push(...body.conflicts)
    if (body.next === null) return found
    after = body.next
  }
}

/** Reads every stored frame, in the log and in the archive. */
export function frames(space: string, table: 'segment' | 'archive'): Promise<readonly ChunkHeader[]> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    storage.sql
      .exec<{ body: ArrayBuffer }>(`SELECT body FROM ${table} ORDER BY first`)
      .toArray()
      .flatMap(({ body }) => decodeChunks(new Uint8Array(body)))
      .map(({ header }) => header),
  )
}

/** Returns the single value that a query finds in the rows of a space. */
export function count(space: string, query: string): Promise<unknown> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    Object.values(storage.sql.exec(query).one()).at(0),
  )
}
