import { request, send } from './request.ts'
import { actOn } from './space-session.ts'

/** The end of an export is looked for in its last bytes. */
const END_BYTES = 1_024

/** Reads an export into a file. */
export async function exportSpace(space: string, onProgress: (bytes: number) => void): Promise<Blob> {
  return actOn(space, ['sync:read', 'space:admin'], async (credential) => {
    const response = await send('/api/export', { credential })
    let bytes = 0
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length
        onProgress(bytes)
        controller.enqueue(chunk)
      },
    })
    return new Response(response.body?.pipeThrough(counting)).blob()
  })
}

/** The number of entries of an export; undefined if it broke off, and so has no end line. */
export async function entriesOf(file: Blob): Promise<number | undefined> {
  const lines = (await file.slice(-END_BYTES).text()).trimEnd().split('\n')
  const [, entries] = /^\{"type":"end","entries":(\d+)/.exec(lines.at(-1) ?? '') ?? []
  return entries === undefined ? undefined : Number(entries)
}

/** Erases all data of a space. */
export async function eraseSpace(space: string): Promise<void> {
  await actOn(space, ['space:admin'], (credential) =>
    request('/api/space', { method: 'DELETE', credential, body: { confirm: space } }),
  )
}
