import { parseGenerations } from '../values/generations.ts'

/** The secrets of a stack as they are bound. A secret that is not bound is undefined at run time. */
export interface Secrets {
  readonly ADMIN_TOKEN: string | undefined
  readonly MASTER_KEY: string | undefined
  readonly SESSION_KEY: string | undefined
}

/** 32 bytes in base64 (RFC 4648, 4): an AES-256 key, and the minimum for HMAC-SHA-256 (RFC 7518, 3.2). */
const KEY = /^[A-Za-z0-9+/]{43}=$/

/** An admin token: its environment, then at least 256 bits even if all of base64url is used. */
const ADMIN_TOKEN = /^adm_(dev|prod)_([A-Za-z0-9_-]{43,256})$/

/**
 * The fewest distinct characters of random text. Fewer than one in 10^11 random 256-bit values in hexadecimal has so
 * few, and far fewer in base64. Samples and repetitions that people type have few.
 */
const FEWEST_CHARACTERS = 10

/**
 * The names of the secrets with which the service must not run: missing, malformed, too short, from another
 * environment, or, in production, a sample value.
 */
export function unfitSecrets(secrets: Secrets, environment: string): readonly (keyof Secrets)[] {
  const production = environment === 'production'
  const fit = {
    ADMIN_TOKEN: areAdminTokens(secrets.ADMIN_TOKEN ?? '', production),
    MASTER_KEY: isRingOfKeys(secrets.MASTER_KEY ?? '', production),
    SESSION_KEY: isRingOfKeys(secrets.SESSION_KEY ?? '', production),
  }
  return (['ADMIN_TOKEN', 'MASTER_KEY', 'SESSION_KEY'] as const).filter((name) => !fit[name])
}

function areAdminTokens(text: string, production: boolean): boolean {
  return text.split(' ').every((token) => {
    const [, prefix, secret = ''] = ADMIN_TOKEN.exec(token) ?? []
    return prefix === (production ? 'prod' : 'dev') && (!production || looksRandom(secret))
  })
}

function isRingOfKeys(text: string, production: boolean): boolean {
  const ring = parseGenerations(text) ?? []
  return (
    ring.length > 0 && ring.every(({ secret }) => KEY.test(secret) && (!production || looksRandom(secret)))
  )
}

function looksRandom(secret: string): boolean {
  return new Set(secret).size >= FEWEST_CHARACTERS
}
