import type { RxCollection, WithDeleted } from 'rxdb'
import type { Session, Side } from './session.ts'

/** Fields of a document that an entry holds. */
export interface Stored {
  readonly deleted: boolean
  readonly value: object
}

interface Attachment {
  readonly digest: string
  readonly type: string
  readonly length: number
  readonly data?: Blob
}

type Attachments = Readonly<Record<string, Attachment>>

/** Splits a document. Attachments stay as references, or are left out. */
export function stored<T>(document: WithDeleted<T>, attachments: boolean): Stored {
  const { _deleted: deleted, ...value } = document
  if (!('_attachments' in value)) return { deleted, value }
  const named = attachments ? Object.entries(value._attachments as Attachments).map(nameOf) : []
  return { deleted, value: { ...value, _attachments: Object.fromEntries(named) } }
}

function nameOf([id, { digest, type, length }]: [string, Attachment]) {
  return [id, { digest, type, length }] as const
}

/** Reads and writes the documents of a collection as entries. The bytes of attachments are separate entries. */
export function documentsOf<T>(session: Session, collection: RxCollection<T>, attachments: boolean) {
  const primary = collection.schema.primaryPath

  async function read({ key, deleted = false, value }: Side & { readonly key: string }) {
    const found = (value ?? { [primary]: key.slice('human/'.length) }) as object
    const document = { ...found, _deleted: deleted } as WithDeleted<T>
    if (!attachments || !('_attachments' in found)) return document
    const named = Object.entries(found._attachments as Attachments)
    return { ...document, _attachments: Object.fromEntries(await Promise.all(named.map(withData))) }
  }

  async function withData([id, attachment]: [string, Attachment]) {
    const path = `/api/entries?key=${encodeURIComponent(`blobs/${attachment.digest}`)}`
    const { value } = await session.request<{ value: string }>(path)
    return [id, { ...attachment, data: new Blob([Buffer.from(value, 'base64')], { type: attachment.type }) }]
  }

  async function write(document: WithDeleted<T>) {
    const { deleted, value } = stored(document, attachments)
    if (attachments && '_attachments' in document) await save(document._attachments as Attachments)
    return {
      key: `human/${(document as Record<string, unknown>)[primary]}`,
      value,
      ...(deleted && { deleted }),
    }
  }

  async function save(attached: Attachments): Promise<void> {
    for (const { digest, data } of Object.values(attached)) {
      if (!data) continue
      const value = Buffer.from(await data.arrayBuffer()).toString('base64')
      await session.request('/api/sync', {
        changes: [{ key: `blobs/${digest}`, value, timestamp: Date.now() }],
      })
    }
  }

  return { read, write }
}
