import siphash from 'siphash/lib/siphash-double.js'
import { type Chunk, joinChunk, TAG_BYTES } from '../../core/log/chunk.ts'
import { type ChunkHeader, encodeHeader, FORM, type Origin, type Slot } from '../../core/log/chunk-header.ts'
import { concatenate } from '../../core/log/rows.ts'
import { parseGenerations } from '../../core/values/generations.ts'

/** AES-GCM's recommended nonce, bytes (NIST SP 800-38D, 5.2.1.1). */
const NONCE_BYTES = 12

/** How much of the HMAC tells one batch from another. */
const DIGEST_BYTES = 16

/** What a space does with its keys, which never leave WebCrypto. */
export interface SpaceKeys {
  /** The live generations of the master key, the newest first: it seals. */
  readonly generations: readonly [newest: number, ...older: number[]]
  /** Seals with the generation that the origin names. */
  seal(text: string, origin: Origin): Promise<Uint8Array>
  /** Sealed content as a chunk, under a tag that binds the frame to it. Synchronous: it follows the decision. */
  chunk(origin: Origin, slots: readonly Slot[], sealed: Uint8Array): Chunk
  /** The sealed text. Rejects if a byte was changed, or the chunk comes from another space or batch. */
  open(chunk: Chunk): Promise<string>
  /** A keyed digest for each live generation: tells texts apart and says nothing about them. */
  digests(text: string): Promise<Digests>
}

/** Digests of one text, by the generation of the key. */
export type Digests = ReadonlyMap<number, Uint8Array>

/** The keys that one generation gives a space. */
interface DerivedKeys {
  readonly sealing: CryptoKey
  readonly digesting: CryptoKey
  /** For SipHash, which must not wait. */
  readonly tagging: Uint32Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The keys of one space, derived from the stack's master keys (a ring, each 32 bytes of base64) by HKDF (RFC 5869). */
export async function spaceKeys(masterKeys: string, space: string): Promise<SpaceKeys> {
  const generations = parseGenerations(masterKeys)
  if (generations === null) throw new Error('MASTER_KEY is no ring like "1:<32 bytes of base64>"')
  const derived = await Promise.all(
    generations.map(
      async ({ generation, secret }) => [generation, await deriveKeys(secret, generation, space)] as const,
    ),
  )
  const keys = new Map(derived)
  const [newest, ...older] = generations

  function keysOf(generation: number): DerivedKeys {
    const found = keys.get(generation)
    if (found === undefined)
      throw new Error(`the stack has no master key of generation ${generation} any more`)
    return found
  }

  return {
    generations: [newest.generation, ...older.map(({ generation }) => generation)],

    async seal(text, origin) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const algorithm = {
        name: 'AES-GCM',
        iv: nonce,
        additionalData: boundTo(space, { ...origin, form: FORM }),
      }
      const sealed = await crypto.subtle.encrypt(algorithm, keysOf(origin.g).sealing, encoder.encode(text))
      const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength)
      bytes.set(nonce)
      bytes.set(new Uint8Array(sealed), NONCE_BYTES)
      return bytes
    },

    chunk(origin, slots, sealed) {
      const headerBytes = encodeHeader({ ...origin, slots })
      const tag = tagOf(headerBytes, sealed, keysOf(origin.g))
      return joinChunk({ header: { ...origin, form: FORM, slots }, headerBytes, tag, sealed })
    },

    async open({ header, headerBytes, tag, sealed }) {
      if (header.form === FORM && !isEqual(tag, tagOf(headerBytes, sealed, keysOf(header.g))))
        throw new Error('the frame is not the one that was written')
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: boundTo(space, header) }
      const content = sealed.subarray(NONCE_BYTES)
      return decoder.decode(await crypto.subtle.decrypt(algorithm, keysOf(header.g).sealing, content))
    },

    async digests(text) {
      const bytes = encoder.encode(text)
      const made = derived.map(async ([generation, { digesting }]) => {
        const mac = await crypto.subtle.sign('HMAC', digesting, bytes)
        return [generation, new Uint8Array(mac, 0, DIGEST_BYTES)] as const
      })
      return new Map(await Promise.all(made))
    },
  }
}

async function deriveKeys(masterKey: string, generation: number, space: string): Promise<DerivedKeys> {
  const bytes = decodeMasterKey(masterKey)
  const master = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const [sealing, digesting, tagging] = await Promise.all([
    derive(master, `chronicle seal ${generation} ${space}`, { name: 'AES-GCM', length: 256 }, [
      'encrypt',
      'decrypt',
    ]),
    derive(master, `chronicle digest ${space}`, { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']),
    crypto.subtle.deriveBits(hkdf(`chronicle frame ${generation} ${space}`), master, 8 * TAG_BYTES),
  ])
  return { sealing, digesting, tagging: new Uint32Array(tagging) }
}

function decodeMasterKey(masterKey: string): Uint8Array {
  const bytes = Uint8Array.from(atob(masterKey), (character) => character.charCodeAt(0))
  if (bytes.length !== 32) throw new Error('a master key is not 32 bytes of base64')
  return bytes
}

function derive(
  master: CryptoKey,
  info: string,
  algorithm:
    | SubtleCryptoDeriveKeyAlgorithm
    | SubtleCryptoImportKeyAlgorithm
    | { name: string; length: number; hash?: string },
  usages: string[],
): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(hkdf(info), master, algorithm, false, usages)
}

function hkdf(info: string): SubtleCryptoDeriveKeyAlgorithm {
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(info) }
}

/** The form is bound too, so that nobody can take the tag off a chunk and pass it for one of form 1. */
function boundTo(space: string, { form, g, c, b, t, k }: Omit<ChunkHeader, 'slots'>): Uint8Array {
  return encoder.encode(JSON.stringify([space, g, c, b, t, k, ...(form === 1 ? [] : [form])]))
}

/** AES-GCM's tag, bytes: the end of what it seals. */
const SEAL_TAG_BYTES = 16

/** A keyed tag over a frame and over the nonce and seal of its content, by which no other content can have it. */
function tagOf(header: Uint8Array, sealed: Uint8Array, { tagging }: DerivedKeys): Uint8Array {
  const text = concatenate([header, sealed.subarray(0, NONCE_BYTES), sealed.subarray(-SEAL_TAG_BYTES)])
  return new Uint8Array(siphash.hash(tagging, text).buffer)
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
