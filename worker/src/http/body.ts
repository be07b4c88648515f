import { BODY_DEADLINE_MS, MAX_BODY_BYTES } from '../core/limits.ts'
import { collect } from './collect.ts'
import { withDeadline } from './deadline.ts'
import { refusal } from './refusal.ts'

/** The text of a JSON body within the limits of size and time; nothing of it is parsed yet. */
export async function readBody(request: Request): Promise<string> {
  checkMediaType(request.headers, 'application/json')
  const declared = request.headers.get('content-length')
  if (Number(declared) > MAX_BODY_BYTES) throw tooLarge()
  const reading = declared === null ? collect(request.body, MAX_BODY_BYTES) : request.arrayBuffer()
  // The runtime waits for ever for a body that was only half sent.
  const bytes = await withDeadline(reading, BODY_DEADLINE_MS, () =>
    refusal({ code: 'body-timeout', afterMs: BODY_DEADLINE_MS }),
  )
  if (bytes === null) throw tooLarge()
  return decode(bytes)
}

/** Refuses a body of another type, or one that is encoded. */
export function checkMediaType(headers: Headers, expected: string): void {
  const [type] = (headers.get('content-type') ?? '').split(';')
  const plain = headers.get('content-encoding') ?? 'identity'
  if (type?.trim().toLowerCase() !== expected || plain !== 'identity') {
    throw refusal({ code: 'unsupported-media-type', expected })
  }
}

function tooLarge(): Error {
  return refusal({ code: 'body-too-large', limit: MAX_BODY_BYTES })
}

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw refusal({ code: 'not-utf8' })
  }
}
