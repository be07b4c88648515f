import type { WithDeleted } from 'rxdb'
import type { Service } from '../../client/src/rxdb.ts'

interface Attachment {
  readonly digest: string
  readonly type: string
  readonly length: number
  readonly data?: Blob
}

type Attachments = Readonly<Record<string, Attachment>>
type Document = WithDeleted<object> & { readonly _attachments?: Attachments }

/** Keeps the bytes of attachments in entries of their own. A document has references to them. */
export function attachmentsIn(service: Service) {
  async function push<T extends WithDeleted<object>>(document: T): Promise<T> {
    const { _attachments: attachments } = document as Document
    if (!attachments) return document
    for (const { digest, data } of Object.values(attachments)) if (data) await save(digest, data)
    const named = Object.entries(attachments).map(([id, { digest, type, length }]) => [
      id,
      { digest, type, length },
    ])
    return { ...document, _attachments: Object.fromEntries(named) }
  }

  async function save(digest: string, data: Blob): Promise<void> {
    const value = Buffer.from(await data.arrayBuffer()).toString('base64')
    const body = { changes: [{ key: `blobs/${digest}`, value, timestamp: Date.now() }] }
    await service.request('/api/sync', { method: 'POST', body })
  }

  async function pull<T extends WithDeleted<object>>(document: T): Promise<T> {
    const { _attachments: attachments } = document as Document
    if (!attachments) return document
    const loaded = await Promise.all(Object.entries(attachments).map(load))
    return { ...document, _attachments: Object.fromEntries(loaded) }
  }

  async function load([id, attachment]: [string, Attachment]) {
    const path = `/api/entries?key=${encodeURIComponent(`blobs/${attachment.digest}`)}`
    const { value } = (await service.request(path)) as { value: string }
    return [id, { ...attachment, data: new Blob([Buffer.from(value, 'base64')], { type: attachment.type }) }]
  }

  return { push, pull }
}

/** Leaves attachments out. */
export const WITHOUT_ATTACHMENTS = {
  push: <T extends WithDeleted<object>>(document: T): T =>
    '_attachments' in document ? { ...document, _attachments: {} } : document,
}
