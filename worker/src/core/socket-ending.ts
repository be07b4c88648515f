import type { FaultCode } from './fault.ts'

/** Close codes and reasons (RFC 6455, 7.4): 4000 and above are this service's own. The reason of 4401 and 4403 is a code. */
export const ENDINGS = {
  binary: [1003, 'send text'],
  'too-large': [1009, 'the message is too large'],
  defect: [1011, 'the service failed'],
  importing: [1013, 'the space is being filled; come again'],
  stalled: [1013, 'what was sent was not confirmed; come again'],
  crowded: [1013, 'another member of the space had no socket left; come again'],
  busy: [1013, 'the space is busy; come again'],
  expired: [4401, 'session-expired'],
  spent: [4401, 'ticket-spent'],
  ended: [4403, 'session-ended'],
  revoked: [4403, 'revoked'],
  erased: [4403, 'space-erased'],
  flooding: [4429, 'more messages than may be sent; wait a minute and come again'],
  limited: [4429, 'more requests than may be sent; wait a minute and come again'],
} as const

export type SocketEnding = keyof typeof ENDINGS

/** Refusals that depend on when the socket is opened, not on how: an unchanged page meets them. */
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

/** The ending that tells a page the same as a refusal; undefined for refusals that stay HTTP (LV30). */
export function endingOf(code: string): SocketEnding | undefined {
  return PASSING[code]
}
