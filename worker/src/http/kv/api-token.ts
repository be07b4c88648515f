/** The parts of an API token: `chr_<environment>_<43 characters: 256 random bits><7 characters: checksum>`. */
const FORM = /^chr_(dev|prod)_([A-Za-z0-9_-]{43})([a-z0-9]{7})$/

const RANDOM_BYTES = 32

/** A new token for an environment. Its owner sees it once; only its hash is kept. */
export function newApiToken(environment: string): string {
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))
  return `chr_${prefixOf(environment)}_${secret}${checksum(secret)}`
}

/** Whether a text can be a token of an environment. Detects mistyped and misplaced tokens without a look-up. */
export function isApiToken(text: string, environment: string): boolean {
  const [, prefix, secret, check] = FORM.exec(text) ?? []
  return prefix === prefixOf(environment) && secret !== undefined && checksum(secret) === check
}

/** The id of a token: its SHA-256, which reveals nothing of it. */
export async function tokenId(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return toBase64Url(new Uint8Array(digest))
}

function prefixOf(environment: string): string {
  return environment === 'production' ? 'prod' : 'dev'
}

/** CRC-32 (ISO 3309) in base 36. */
export function checksum(text: string): string {
  let crc = 0xffffffff
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(36).padStart(7, '0')
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
