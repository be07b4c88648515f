import type { AuthReply, ImportReply, TokenReply } from '../base/wire.ts'
import { ask } from './operator.ts'
import { request } from './request.ts'

/** Bytes of a file that are sent in one request, cut at the end of a line. */
const PART_BYTES = 8 * 1024 * 1024
const DAY_MS = 86_400_000
const LINE_FEED = 10

/** Sends a file to an empty space, part by part. Sent again after a failure, it continues. */
export function importSpace(
  space: string,
  file: Blob,
  onProgress: (bytes: number) => void,
): Promise<ImportReply | undefined> {
  return withToken(space, async (credential) => {
    let reply: ImportReply | undefined
    let line = 1
    for (let from = 0; from < file.size; ) {
      const { lines, count } = await partOf(file, from)
      reply = await request<ImportReply>(`/api/import?line=${line}`, { method: 'POST', credential, lines })
      from += lines.size
      line += count
      onProgress(from)
    }
    return reply
  })
}

/** Acts on a space that no operator's session can open, because it is empty. The token ends with the act. */
async function withToken<T>(space: string, act: (session: string) => Promise<T>): Promise<T> {
  const wanted = { subject: 'console', space, scopes: ['space:admin'], expiresAt: Date.now() + DAY_MS }
  const { id, token } = await ask<TokenReply>('/api/tokens', { method: 'POST', body: wanted })
  try {
    const { session } = await request<AuthReply>('/api/auth', { method: 'POST', body: { token } })
    return await act(session)
  } finally {
    await ask(`/api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })
  }
}

/** The lines of a file from an offset on: as many whole ones as fit, and at least one. */
async function partOf(file: Blob, from: number): Promise<{ readonly lines: Blob; readonly count: number }> {
  for (let size = PART_BYTES; ; size *= 2) {
    const slice = file.slice(from, from + size)
    const bytes = new Uint8Array(await slice.arrayBuffer())
    const end = from + slice.size === file.size ? slice.size : bytes.lastIndexOf(LINE_FEED) + 1
    if (end === 0) continue
    const count = bytes.subarray(0, end).reduce((lines, byte) => lines + (byte === LINE_FEED ? 1 : 0), 0)
    return { lines: file.slice(from, from + end), count }
  }
}
