import siphash from 'siphash/lib/siphash-double.js'
import { type Chunk, decodeChunks } from '../../core/log/chunk.ts'
import { MAX_CHANGES } from '../../core/values/limits.ts'
import type { SpaceKeys } from './seal.ts'

/** The name of a key in the rows of a space. A key keeps its name until the space is erased. */
export type KeyNames = (key: string) => string

type Storage = Pick<DurableObjectStorage, 'sql' | 'transactionSync'>

/** The length of a SipHash key, bytes. */
const SECRET_BYTES = 16

/** The seal of the secret is bound to this origin, besides space and generation. No client has an empty id. */
const SECRET_ORIGIN = { c: '', b: null, t: 0, k: 0 } as const

/**
 * The key names of a space: the keys themselves, or keyed digests of them (SipHash-2-4, 128 bits), because keys can
 * reveal as much as values. The stack's setting `keyNames`, which the Worker gets as the binding `ENTRY_NAMES`, decides
 * while the space is empty, and from then on for its life.
 *
 * The secret of the digests is random and stored sealed. A new master key renames nothing: the secret is resealed with it.
 */
export async function keyNames(storage: Storage, keys: SpaceKeys, wanted: string): Promise<KeyNames> {
  const { sql } = storage
  const stored = storedSecret(sql)
  if (stored === null && (wanted !== 'keyed' || hasEntries(sql))) return (key) => key
  const secret = stored === null ? newSecret() : await keys.open(stored)
  const [g] = keys.generations
  if (stored?.header.g !== g) {
    const origin = { g, ...SECRET_ORIGIN }
    const sealed = keys.chunk(origin, [], await keys.seal(secret, origin))
    // A concurrent call may have stored the secret first, after an erasure even another secret. The stored one is used.
    if (storedSecret(sql)?.header.g !== stored?.header.g) return keyNames(storage, keys, wanted)
    storage.transactionSync(() => storeSecret(sql, sealed))
  }
  return namesUnder(secret)
}

function newSecret(): string {
  return String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))
}

function namesUnder(secret: string): KeyNames {
  const words = new Uint32Array(Uint8Array.from(secret, (character) => character.charCodeAt(0)).buffer)
  const encoder = new TextEncoder()
  const known = new Map<string, string>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    // A batch looks up each of its names twice.
    if (known.size >= MAX_CHANGES) known.clear()
    const name = toText(siphash.hash(words, encoder.encode(key)))
    known.set(key, name)
    return name
  }
}

function toText(digest: Uint32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(digest.buffer))).slice(0, -2)
}

function hasEntries(sql: SqlStorage): boolean {
  const found = sql.exec<{ found: number }>(
    'SELECT EXISTS (SELECT 1 FROM head UNION ALL SELECT 1 FROM segment WHERE pending IS NOT NULL) AS found',
  )
  return found.one().found === 1
}

function storedSecret(sql: SqlStorage): Chunk | null {
  const [row] = sql.exec<{ value: ArrayBuffer }>(`SELECT value FROM meta WHERE name = 'names'`).toArray()
  return row === undefined ? null : (decodeChunks(new Uint8Array(row.value))[0] ?? null)
}

function storeSecret(sql: SqlStorage, { bytes }: Chunk): void {
  sql.exec(`INSERT OR REPLACE INTO meta VALUES ('names', ?)`, bytes)
}
