/** One connection's part of the load: a body to send, and what its reply teaches the next one. */
export interface Sender {
  readonly headers: Readonly<Record<string, string>>
  body(): string
  learn(reply: string): void
}

/** Which of how many connections this is. */
export interface Place {
  readonly part: number
  readonly parts: number
}

/** Which entries are written: some of those that are there again and again, or new ones, one after the other. */
export type Keys = 'edited' | 'new'

/** Keys in all, shared out among the connections: no device writes another's entries. */
const KEYS = 10_000

/** What the bare object takes: keys and values. */
export function bareSender(place: Place, batch: number): Sender {
  let round = 0
  return {
    headers: { 'content-type': 'application/json' },
    body() {
      round += 1
      const changes = randomKeys(place, batch).map((key) => ({ key, value: documentOf(key, round) }))
      return JSON.stringify({ changes })
    },
    learn() {},
  }
}

/** A well-behaved device: numbered batches, every change with its time and the version it was made on. */
export function deviceSender(
  session: string,
  place: Place,
  { batch, keys }: { readonly batch: number; readonly keys: Keys },
): Sender {
  const versions = new Map<string, string>()
  let round = 0
  return {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body() {
      round += 1
      const timestamp = Date.now()
      const wanted = keys === 'new' ? newKeys(place, batch, round) : randomKeys(place, batch)
      const changes = wanted.map((key) => {
        return { key, value: documentOf(key, round), timestamp, base: versions.get(key) ?? null }
      })
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

/** A document of about 250 bytes. */
function documentOf(key: string, round: number): object {
  const body = 'lorem ipsum '.repeat(13)
  return { id: key, title: `Entry ${round}`, tags: ['a', 'b'], done: round % 2 === 0, body }
}

/** Different keys, as many as a batch has; a large batch takes most of a connection's share. */
function randomKeys({ part, parts }: Place, batch: number): readonly string[] {
  const share = Math.max(batch, Math.floor(KEYS / parts))
  const keys = new Set<string>()
  while (keys.size < batch) keys.add(`n/${part}-${Math.floor(Math.random() * share)}`)
  return [...keys]
}

/** Ascending, as identifiers that begin with a time are. */
function newKeys({ part }: Place, batch: number, round: number): readonly string[] {
  return Array.from(
    { length: batch },
    (_, index) => `n/${part}-${String(round * batch + index).padStart(10, '0')}`,
  )
}
