/**
 * The part of WebCrypto that a space uses, on Node's synchronous functions. Keys and seals are real. The round trip
 * to a thread is gone, which takes most of the time of a small seal. Bundled into the floor in place of the global.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  webcrypto,
} from 'node:crypto'

/** The tag at the end of a seal, bytes. */
const TAG_BYTES = 16

interface Derivation {
  readonly salt: Uint8Array
  readonly info: Uint8Array
}

interface Seal {
  readonly iv: Uint8Array
  readonly additionalData: Uint8Array
}

const subtle = {
  async importKey(_format: 'raw', bytes: Uint8Array): Promise<KeyObject> {
    return createSecretKey(bytes)
  },

  async deriveKey(
    derivation: Derivation,
    master: KeyObject,
    { length }: { length: number },
  ): Promise<KeyObject> {
    return createSecretKey(new Uint8Array(derive(derivation, master, length)))
  },

  async deriveBits(derivation: Derivation, master: KeyObject, length: number): Promise<ArrayBuffer> {
    return derive(derivation, master, length)
  },

  async encrypt({ iv, additionalData }: Seal, key: KeyObject, content: Uint8Array): Promise<ArrayBuffer> {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additionalData)
    return bufferOf(Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]))
  },

  async decrypt({ iv, additionalData }: Seal, key: KeyObject, sealed: Uint8Array): Promise<ArrayBuffer> {
    const decipher = createDecipheriv('aes-256-gcm', key, iv)
    decipher.setAAD(additionalData).setAuthTag(sealed.subarray(-TAG_BYTES))
    return bufferOf(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]))
  },

  async sign(_algorithm: 'HMAC', key: KeyObject, content: Uint8Array): Promise<ArrayBuffer> {
    return bufferOf(createHmac('sha256', key).update(content).digest())
  },
}

function derive({ salt, info }: Derivation, master: KeyObject, bits: number): ArrayBuffer {
  return hkdfSync('sha256', master, salt, info, bits / 8)
}

/** A new buffer, as the platform's functions return. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

export const crypto = {
  subtle,
  getRandomValues: webcrypto.getRandomValues.bind(webcrypto),
  randomUUID: webcrypto.randomUUID.bind(webcrypto),
}
