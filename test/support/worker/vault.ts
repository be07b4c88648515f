import { base64url } from 'jose'

/** Keys that the devices of a user share and the service never gets, made with WebCrypto as an app would make them. */
export interface Vault {
  /** Returns the same opaque name for the same title. */
  nameOf(collection: string, title: string): Promise<string>
  /** Returns another text each time. */
  seal(key: string, value: unknown): Promise<string>
  /** Rejects a text that was not sealed by this vault, or under another key. */
  open(key: string, text: unknown): Promise<unknown>
  /** Every text that was sealed. */
  readonly sealed: ReadonlySet<unknown>
}

const encoder = new TextEncoder()

export async function newVault(): Promise<Vault> {
  const [sealing, naming] = await Promise.all([
    newKey('AES-GCM', ['encrypt', 'decrypt']),
    newKey({ name: 'HMAC', hash: 'SHA-256' }, ['sign']),
  ])
  const sealed = new Set<string>()
  return {
    sealed,
    async nameOf(collection, title) {
      const digest = await crypto.subtle.sign('HMAC', naming, encoder.encode(title))
      // Makes the name safe in a URL. A slash would split the key.
      return `${collection}/${base64url.encode(new Uint8Array(digest))}`
    },
    async seal(key, value) {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const plain = encoder.encode(JSON.stringify(value))
      const content = await crypto.subtle.encrypt(boundTo(key, iv), sealing, plain)
      const text = btoa(String.fromCharCode(...iv, ...new Uint8Array(content)))
      sealed.add(text)
      return text
    },
    async open(key, text) {
      const bytes = Uint8Array.from(atob(String(text)), (character) => character.charCodeAt(0))
      const algorithm = boundTo(key, bytes.subarray(0, 12))
      const plain = await crypto.subtle.decrypt(algorithm, sealing, bytes.subarray(12))
      return JSON.parse(new TextDecoder().decode(plain))
    },
  }
}

function newKey(algorithm: string | SubtleCryptoImportKeyAlgorithm, usages: string[]): Promise<CryptoKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return crypto.subtle.importKey('raw', bytes, algorithm, false, usages)
}

/** Binds a value to its key, so that it does not open under another key. */
function boundTo(key: string, iv: Uint8Array): SubtleCryptoEncryptAlgorithm {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode(key) }
}
