import siphash from 'siphash/lib/siphash-double.js'
import { type Chunk, joinChunk, TAG_BYTES } from '../../core/log/chunk.ts'
import { type ChunkHeader, encodeHeader, FORM, type Origin, type Slot } from '../../core/log/chunk-header.ts'
import { concatenate } from '../../core/log/rows.ts'
import { parseGenerations } from '../../core/values/generations.ts'

/** AES-GCM's recommended nonce, bytes (NIST SP 800-38D, 5.2.1.1). */
const NONCE_BYTES = 12

/** How much of the HMAC is kept to tell one batch from another, bytes. */
const DIGEST_BYTES = 16

/** The operations of a space's keys, which never leave WebCrypto, except the one for SipHash. */
export interface SpaceKeys {
  /** The live generations of the master key, newest first. The newest one seals. */
  readonly generations: readonly [newest: number, ...older: number[]]
  /** Seals a text with the generation that the origin names. */
  seal(text: string, origin: Origin): Promise<Uint8Array>
  /** Makes a chunk of sealed content, with a tag that binds the header to it. Synchronous, because it runs after the decision. */
  chunk(origin: Origin, slots: readonly Slot[], sealed: Uint8Array): Chunk
  /** Returns the sealed text. Rejects if a byte was changed, or if the chunk comes from another space or batch. */
  open(chunk: Chunk): Promise<string>
  /** Returns a keyed digest for each live generation. A digest tells texts apart and reveals nothing about them. */
  digests(text: string): Promise<Digests>
}

/** The digests of one text, by the generation of the key. */
export type Digests = ReadonlyMap<number, Uint8Array>

/** The keys of a space that are derived from one generation of the master key. */
interface DerivedKeys {
  readonly sealing: CryptoKey
  readonly digesting: CryptoKey
  /** For SipHash, because WebCrypto is asynchronous. */
  readonly tagging: Uint32Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The keys of one space, derived by HKDF (RFC 5869) from the generations of the master key, each 32 bytes of base64. */
export async function spaceKeys(masterKeys: string, space: string): Promise<SpaceKeys> {
  const generations = parseGenerations(masterKeys)
  if (generations === null) throw new Error('MASTER_KEY must be a list of keys like "1:<32 bytes of base64>"')
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
        throw new Error('the header of the chunk does not match its tag')
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
  if (bytes.length !== 32) throw new Error('a master key must be 32 bytes of base64')
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

/** Binds the form as well, so that nobody can strip the tag of a chunk and present it as form 1. */
function boundTo(space: string, { form, g, c, b, t, k }: Omit<ChunkHeader, 'slots'>): Uint8Array {
  return encoder.encode(JSON.stringify([space, g, c, b, t, k, ...(form === 1 ? [] : [form])]))
}

/** The length of the AES-GCM tag at the end of sealed content, bytes. */
const SEAL_TAG_BYTES = 16

/** A keyed tag over the header and the nonce and AES-GCM tag of the content, so that the header fits no other content. */
function tagOf(header: Uint8Array, sealed: Uint8Array, { tagging }: DerivedKeys): Uint8Array {
  const text = concatenate([header, sealed.subarray(0, NONCE_BYTES), sealed.subarray(-SEAL_TAG_BYTES)])
  return new Uint8Array(siphash.hash(tagging, text).buffer)
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
