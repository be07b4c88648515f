import { call, type Device, device, mint, type Reply } from './client.ts'

export const ALL = ['sync:read', 'sync:write', 'space:admin']

/** Makes a space and a device with every scope in it. */
export async function newSpace(): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  return { space, a: await device(await mint({ space, scopes: ALL })) }
}

/** Sends an export, or a part of one, to the space of a device. */
export async function upload(
  { session }: Pick<Device, 'session'>,
  body: BodyInit,
  query = '',
  type = 'application/x-ndjson',
): Promise<Reply> {
  const headers = { authorization: `Bearer ${session}`, 'content-type': type }
  const response = await call(`/api/import${query}`, { method: 'POST', headers, body })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

const HEADER = {
  type: 'header',
  format: 'chronicle-export',
  version: 1,
  space: 's',
  epoch: 'e',
  head: 'e.9',
  exportedAt: 1,
}

/** Writes an export with these entries between header and end line, or with another last line. */
export function exportOf(entries: readonly object[], last: object = endOf(entries)): string {
  const filled = entries.map((entry) => ({ timestamp: 5, version: 'e.1', by: 'a', ...entry }))
  return [HEADER, ...filled, last].map((line) => `${JSON.stringify(line)}\n`).join('')
}

function endOf(entries: readonly object[]): object {
  return { type: 'end', entries: entries.length, cursor: 'e.9' }
}

export function linesOf(text: string): string[] {
  return text.trimEnd().split('\n')
}
