import {
  BODY_DEADLINE_MS,
  MAX_ARRIVING_BYTES,
  MAX_BODY_BYTES,
  MIN_BODY_BYTES,
} from '../../core/values/limits.ts'
import { AT_START, afterPart, patienceOf } from '../../core/values/pace.ts'
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
  const isShort = declared !== null && Number(declared) <= MIN_BODY_BYTES
  const bytes = isShort ? await readAtOnce(request, endsAt) : await readPaced(request.body, endsAt)
  if (bytes === null) throw tooLarge()
  return decode(bytes)
}

/** The bytes of a body that is short enough to arrive in one stretch. */
function readAtOnce(request: Request, endsAt: number): Promise<ArrayBuffer> {
  return withDeadline(request.arrayBuffer(), Math.min(BODY_DEADLINE_MS, endsAt - Date.now()), late)
}

/** Bytes of the bodies that are arriving, over all requests of this isolate. */
let arriving = 0

async function readPaced(
  body: ReadableStream<Uint8Array> | null,
  endsAt: number,
): Promise<ArrayBuffer | null> {
  const reader = (body ?? new Blob().stream()).getReader()
  const began = Date.now()
  let [pace, held] = [AT_START, 0]
  const next = async () => {
    const asked = Date.now()
    if (arriving > MAX_ARRIVING_BYTES && asked - began > BODY_DEADLINE_MS) throw late()
    const left = Math.min(patienceOf(pace), endsAt - asked)
    const { value } = await withDeadline(reader.read(), left, late)
    if (value === undefined) return null
    pace = afterPart(pace, value.byteLength, Date.now() - asked)
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

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw refusal({ code: 'not-utf8' })
  }
}
