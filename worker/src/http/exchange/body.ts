import {
  BODY_DEADLINE_MS,
  MAX_ARRIVING_BYTES,
  MAX_BODY_BYTES,
  MIN_BODY_BYTES,
} from '../../core/values/limits.ts'
import { collect } from './collect.ts'
import { withDeadline } from './deadline.ts'
import { refusal } from './refusal.ts'

/**
 * The text of a JSON body, within the limits of size and time, not parsed. Reading stops at `endsAt`, ms, however
 * steadily the body arrives: the end of the session that sends it.
 */
export async function readBody(request: Request, endsAt = Number.POSITIVE_INFINITY): Promise<string> {
  checkMediaType(request.headers, 'application/json')
  const declared = request.headers.get('content-length')
  if (Number(declared) > MAX_BODY_BYTES) throw tooLarge()
  const { body } = request
  const isShort = body === null || (declared !== null && Number(declared) <= MIN_BODY_BYTES)
  const bytes = isShort ? await readAtOnce(request, endsAt) : await readInSteps(body, { declared, endsAt })
  if (bytes === null) throw tooLarge()
  return decode(bytes)
}

/** The bytes of a body that is short enough to arrive in one stretch. */
function readAtOnce(request: Request, endsAt: number): Promise<ArrayBuffer> {
  return withDeadline(request.arrayBuffer(), Math.min(BODY_DEADLINE_MS, endsAt - Date.now()), late)
}

/** Bytes of the bodies that are arriving, over all requests of this isolate. */
let arriving = 0

/**
 * The bytes of a body that arrives at its own pace. One read takes what has arrived, and at least what has to arrive
 * before its deadline, because a read costs the more the less it brings. Its room grows with the body: a body that was
 * only declared must not take much memory.
 */
async function readInSteps(
  body: ReadableStream<Uint8Array>,
  { declared, endsAt }: { readonly declared: string | null; readonly endsAt: number },
): Promise<ArrayBuffer | null> {
  const reader = body.getReader({ mode: 'byob' })
  const began = Date.now()
  let held = 0
  const next = async () => {
    // The runtime ends a body at its declared length, so no read is needed to see the end.
    if (held > 0 && held === Number(declared)) return null
    const asked = Date.now()
    if (arriving > MAX_ARRIVING_BYTES && asked - began > BODY_DEADLINE_MS) throw late()
    const room = new Uint8Array(Math.max(FIRST_STEP_BYTES, Math.min(held, LAST_STEP_BYTES)))
    const reading = reader.readAtLeast(MIN_BODY_BYTES, room)
    const { value } = await withDeadline(reading, Math.min(BODY_DEADLINE_MS, endsAt - asked), late)
    // A body ends with no bytes.
    if (value === undefined || value.byteLength === 0) return null
    held += value.byteLength
    arriving += value.byteLength
    return value
  }
  try {
    return await collect(next, MAX_BODY_BYTES)
  } finally {
    arriving -= held
    // An aborted body need not be kept. At the end of a body there is nothing to cancel.
    reader.cancel().catch(() => undefined)
  }
}

const FIRST_STEP_BYTES = 32 * 1024
const LAST_STEP_BYTES = 256 * 1024

function late(): Error {
  return refusal({ code: 'body-timeout', afterMs: BODY_DEADLINE_MS })
}

/** Refuses a body with another media type or a content encoding. */
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

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

function decode(bytes: ArrayBuffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw refusal({ code: 'not-utf8' })
  }
}
