import type { FaultCode } from './fault.ts'

/**
 * Close codes and reasons (RFC 6455, 7.4). Codes from 4000 are the service's own. The reason of 4401 and 4403 is a
 * code.
 */
export const ENDINGS = {
  binary: [1003, 'send text messages'],
  'too-large': [1009, 'the message is too large'],
  defect: [1011, 'the service failed'],
  importing: [1013, 'an import fills the space; reconnect later'],
  stalled: [1013, 'sent messages were not confirmed; reconnect'],
  crowded: [1013, 'another member of the space had no socket left; reconnect later'],
  busy: [1013, 'the space is busy; reconnect later'],
  expired: [4401, 'session-expired'],
  spent: [4401, 'ticket-spent'],
  ended: [4403, 'session-ended'],
  revoked: [4403, 'revoked'],
  erased: [4403, 'space-erased'],
  flooding: [4429, 'too many messages; reconnect after a minute'],
  limited: [4429, 'too many requests; reconnect after a minute'],
} as const

export type SocketEnding = keyof typeof ENDINGS

/** Refusals that depend on when a socket is opened, not on how. An unchanged page meets them. */
const PASSING: Readonly<Record<string, SocketEnding>> = {
  'session-expired': 'expired',
  'ticket-spent': 'spent',
  'session-ended': 'ended',
  revoked: 'revoked',
  'space-erased': 'erased',
  importing: 'importing',
  busy: 'busy',
  'rate-limited': 'limited',
} satisfies Partial<Record<FaultCode, SocketEnding>>

/** The socket ending that tells a page the same as a refusal; undefined for refusals that stay HTTP (LV30). */
export function endingOf(code: string): SocketEnding | undefined {
  return PASSING[code]
}
