import { parseGenerations } from '../values/generations.ts'

/** The secrets of a stack, as they are bound; what is not bound is undefined at run time. */
export interface Secrets {
  readonly ADMIN_TOKEN: string | undefined
  readonly MASTER_KEY: string | undefined
  readonly SESSION_KEY: string | undefined
}

/** 32 bytes of base64 (RFC 4648, 4): an AES-256 key, and the least for HMAC-SHA-256 (RFC 7518, 3.2). */
const KEY = /^[A-Za-z0-9+/]{43}=$/

/** An admin token: its environment, and at least 256 bits even if all of base64url is used. */
const ADMIN_TOKEN = /^adm_(dev|prod)_([A-Za-z0-9_-]{43,256})$/

/**
 * Random text of 256 bits has far more different characters: less than one in 10^11 of hexadecimal digits has so few,
 * and next to none of base64. What people type as a sample, or repeat, has few.
 */
const FEWEST_CHARACTERS = 10

/**
 * The names of the secrets with which the service must not run: missing, malformed, too short, of another
 * environment, or, in production, a sample.
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
