import { BODY_DEADLINE_MS, MAX_BODY_BYTES } from '../core/limits.ts'
import { refusal } from './refusal.ts'

/** The text of a JSON body within the limits of size and time; nothing of it is parsed yet. */
export async function readBody(request: Request): Promise<string> {
  checkMediaType(request.headers, 'application/json')
  const declared = request.headers.get('content-length')
  if (Number(declared) > MAX_BODY_BYTES) throw refusal({ code: 'body-too-large', limit: MAX_BODY_BYTES })
  const bytes = await withDeadline(declared === null ? collect(request.body) : request.arrayBuffer())
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

/** The runtime waits for ever for a body that was only half sent. */
async function withDeadline<T>(reading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const fault = { code: 'body-timeout', afterMs: BODY_DEADLINE_MS } as const
  const timer = setTimeout(() => late.reject(refusal(fault)), BODY_DEADLINE_MS)
  try {
    return await Promise.race([reading, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** A body of unknown length, given up as soon as it is too long. */
async function collect(body: ReadableStream<Uint8Array> | null): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body ?? []) {
    length += part.byteLength
    if (length > MAX_BODY_BYTES) throw refusal({ code: 'body-too-large', limit: MAX_BODY_BYTES })
    parts.push(part)
  }
  return new Blob(parts).arrayBuffer()
}

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw refusal({ code: 'not-utf8' })
  }
}
