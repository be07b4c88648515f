import type { Sender } from './load.ts'

/** Keys in all, shared out among the connections: no device writes another's entries. */
const KEYS = 10_000

/** A document of about 250 bytes. */
function documentOf(key: string, round: number): object {
  return {
    id: key,
    title: `Entry ${round}`,
    tags: ['a', 'b'],
    done: round % 2 === 0,
    body: 'lorem ipsum '.repeat(13),
  }
}

function randomKeys(part: number, parts: number, count: number): readonly string[] {
  const size = Math.floor(KEYS / parts)
  const keys = new Set<string>()
  while (keys.size < Math.min(count, size)) keys.add(`n/${part}-${Math.floor(Math.random() * size)}`)
  return [...keys]
}

/** What the bare object takes: keys and values. */
export function bareSender(part: number, parts: number, batch: number): Sender {
  let round = 0
  return {
    headers: { 'content-type': 'application/json' },
    body() {
      round += 1
      const changes = randomKeys(part, parts, batch).map((key) => ({ key, value: documentOf(key, round) }))
      return JSON.stringify({ changes })
    },
    learn() {},
  }
}

/** A well-behaved device: numbered batches, every change with its time and the version it was made on. */
export function deviceSender(session: string, place: { part: number; parts: number }, batch: number): Sender {
  const versions = new Map<string, string>()
  let sent: readonly string[] = []
  let round = 0
  return {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body() {
      round += 1
      sent = randomKeys(place.part, place.parts, batch)
      const timestamp = Date.now()
      const changes = sent.map((key) => ({
        key,
        value: documentOf(key, round),
        timestamp,
        base: versions.get(key) ?? null,
      }))
      return JSON.stringify({ batch: round, clientTime: timestamp, changes })
    },
    learn(reply) {
      const { results } = JSON.parse(reply) as { results: { key: string; status: string; version: string }[] }
      for (const { key, status, version } of results) {
        if (status !== 'applied') throw new Error(`${key} was ${status}`)
        versions.set(key, version)
      }
    },
  }
}
