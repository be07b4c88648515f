import { randomBytes } from 'node:crypto'

/** How long a code is good, ms. */
const CODE_TTL_MS = 10 * 60_000

/**
 * A code that the console exchanges for the admin token, once. Only the edge of the embedded cloud has it, in memory: no
 * file, no log and no script.
 */
export interface ConsoleAccess {
  readonly code: string
  readonly adminToken: string
  /** In ms since 1970. */
  readonly expiresAt: number
}

export function newConsoleAccess(adminToken: string): ConsoleAccess {
  const code = randomBytes(24).toString('base64url')
  return { code, adminToken, expiresAt: Date.now() + CODE_TTL_MS }
}
