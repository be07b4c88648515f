import siphash from 'siphash/lib/siphash-double.js'
import { type Chunk, decodeChunks } from '../../core/log/chunk.ts'
import { MAX_CHANGES } from '../../core/values/limits.ts'
import type { SpaceKeys } from './seal.ts'

/** What the rows of a space call a key. The same key has the same name for as long as the space is not erased. */
export type KeyNames = (key: string) => string

type Storage = Pick<DurableObjectStorage, 'sql' | 'transactionSync'>

/** Of SipHash. */
const SECRET_BYTES = 16

/** What the seal of the secret is bound to, besides space and generation: no client has an empty id. */
const PLACE = { c: '', b: null, t: 0, k: 0 } as const

/**
 * The names of a space: the keys themselves, or, because keys can be as telling as values, keyed digests of them
 * (SipHash-2-4, 128 bits). Which of them is decided for an empty space by what the stack wants, once and for all.
 *
 * The secret of the digests is random and kept sealed, so that a new master key renames nothing: it is sealed anew by
 * the newest one.
 */
export async function keyNames(storage: Storage, keys: SpaceKeys, wanted: string): Promise<KeyNames> {
  const { sql } = storage
  const stored = storedSecret(sql)
  if (stored === null && (wanted !== 'keyed' || holdsHeads(sql))) return (key) => key
  const secret = stored === null ? newSecret() : await keys.open(stored)
  const [g] = keys.generations
  if (stored?.header.g !== g) {
    const origin = { g, ...PLACE }
    const sealed = keys.chunk(origin, [], await keys.seal(secret, origin))
    // Others may have done so meanwhile, after an erasure even with another secret: theirs holds.
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
    // A batch asks for each of its names twice.
    if (known.size >= MAX_CHANGES) known.clear()
    const name = toText(siphash.hash(words, encoder.encode(key)))
    known.set(key, name)
    return name
  }
}

function toText(digest: Uint32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(digest.buffer))).slice(0, -2)
}

function holdsHeads(sql: SqlStorage): boolean {
  return sql.exec<{ found: number }>('SELECT EXISTS (SELECT 1 FROM head) AS found').one().found === 1
}

function storedSecret(sql: SqlStorage): Chunk | null {
  const [row] = sql.exec<{ value: ArrayBuffer }>(`SELECT value FROM meta WHERE name = 'names'`).toArray()
  return row === undefined ? null : (decodeChunks(new Uint8Array(row.value))[0] ?? null)
}

function storeSecret(sql: SqlStorage, { bytes }: Chunk): void {
  sql.exec(`INSERT OR REPLACE INTO meta VALUES ('names', ?)`, bytes)
}
