import type { Chunk, Origin } from '../core/chunk.ts'

/** The generation of the master key that seals now; frames name theirs, so that keys can be rotated. */
export const KEY_GENERATION = 1

/** AES-GCM's recommended nonce, bytes (NIST SP 800-38D, 5.2.1.1). */
const NONCE_BYTES = 12

/** How much of the HMAC tells one batch from another. */
const DIGEST_BYTES = 16

/** What a space does with its keys, which never leave WebCrypto. */
export interface Keyring {
  seal(text: string, origin: Origin): Promise<Uint8Array>
  /** The sealed text. Rejects if anything was changed, or the chunk comes from another space or batch. */
  open(chunk: Chunk): Promise<string>
  /** A keyed digest: tells texts apart and says nothing about them. */
  digest(text: string): Promise<Uint8Array>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The keys of one space, derived from the stack's master key (32 bytes, base64) by HKDF (RFC 5869). */
export async function keyring(masterKey: string, space: string): Promise<Keyring> {
  const master = await crypto.subtle.importKey('raw', decodeMasterKey(masterKey), 'HKDF', false, [
    'deriveKey',
  ])
  const [sealing, digesting] = await Promise.all([
    derive(master, `chronicle seal ${KEY_GENERATION} ${space}`, { name: 'AES-GCM', length: 256 }, [
      'encrypt',
      'decrypt',
    ]),
    derive(master, `chronicle digest ${space}`, { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']),
  ])
  return {
    async seal(text, origin) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: boundTo(space, origin) }
      const sealed = await crypto.subtle.encrypt(algorithm, sealing, encoder.encode(text))
      const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength)
      bytes.set(nonce)
      bytes.set(new Uint8Array(sealed), NONCE_BYTES)
      return bytes
    },

    async open({ frame, sealed }) {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: boundTo(space, frame) }
      return decoder.decode(await crypto.subtle.decrypt(algorithm, sealing, sealed.subarray(NONCE_BYTES)))
    },

    async digest(text) {
      const mac = await crypto.subtle.sign('HMAC', digesting, encoder.encode(text))
      return new Uint8Array(mac, 0, DIGEST_BYTES)
    },
  }
}

function decodeMasterKey(masterKey: string): Uint8Array {
  const bytes = Uint8Array.from(atob(masterKey), (character) => character.charCodeAt(0))
  if (bytes.length !== 32) throw new Error('MASTER_KEY is not 32 bytes of base64')
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
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(info) }
  return crypto.subtle.deriveKey(hkdf, master, algorithm, false, usages)
}

function boundTo(space: string, { g, c, b, t, k }: Origin): Uint8Array {
  return encoder.encode(JSON.stringify([space, g, c, b, t, k]))
}
