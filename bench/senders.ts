/** One connection's part of the load. A reply changes the next body. */
export interface Sender {
  readonly headers: Readonly<Record<string, string>>
  body(): string
  learn(reply: string): void
}

/** The share of one connection in all keys. */
export interface Share {
  /** The index of the connection, from 0. */
  readonly part: number
  /** The number of connections. */
  readonly parts: number
}

/** `edited` writes the same entries again and again. `new` writes new ones in ascending order. */
export type Keys = 'edited' | 'new'

/** The number of keys of all connections together. No device writes another's entries. */
const KEYS = 10_000

/** Sends what the bare object accepts: keys and values. */
export function bareSender(share: Share, batch: number): Sender {
  let round = 0
  return {
    headers: { 'content-type': 'application/json' },
    body() {
      round += 1
      const changes = randomKeys(share, batch).map((key) => ({ key, value: documentOf(key, round) }))
      return JSON.stringify({ changes })
    },
    learn() {},
  }
}

/** A well-behaved device, which numbers its batches and sends the time and the base of every change. */
export function deviceSender(
  session: string,
  share: Share,
  { batch, keys }: { readonly batch: number; readonly keys: Keys },
): Sender {
  const versions = new Map<string, string>()
  let round = 0
  return {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body() {
      round += 1
      const timestamp = Date.now()
      const wanted = keys === 'new' ? newKeys(share, batch, round) : randomKeys(share, batch)
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

/** Different keys for one batch. A large batch takes most of a connection's share. */
function randomKeys({ part, parts }: Share, batch: number): readonly string[] {
  const share = Math.max(batch, Math.floor(KEYS / parts))
  const keys = new Set<string>()
  while (keys.size < batch) keys.add(`n/${part}-${Math.floor(Math.random() * share)}`)
  return [...keys]
}

/** Ascending keys, like identifiers that begin with a time. */
function newKeys({ part }: Share, batch: number, round: number): readonly string[] {
  return Array.from(
    { length: batch },
    (_, index) => `n/${part}-${String(round * batch + index).padStart(10, '0')}`,
  )
}
