import type { RxCollection } from 'rxdb'
import { runReplicationBaseTestSuite } from 'rxdb/plugins/test-utils'
import { describe, inject } from 'vitest'
import { replicateChronicle } from './rxdb-replication.ts'
import { useMemory } from './rxdb-storage.ts'
import { newSpace, openSession, type Page } from './session.ts'

useMemory()

const service = inject('service')
let space = newSpace()

async function syncOnce(collection: RxCollection, attachments = false): Promise<void> {
  const session = await openSession(service, space)
  const state = replicateChronicle({ session, collection, live: false, attachments })
  await state.awaitInitialReplication()
}

describe('[IT5] passes the replication tests that RxDB publishes', () => {
  runReplicationBaseTestSuite({
    startReplication: async (collection) =>
      replicateChronicle({ session: await openSession(service, space), collection }),
    syncOnce,
    syncOnceWithAttachments: (collection) => syncOnce(collection, true),
    syncOnceWithAttachmentsDisabled: (collection) => syncOnce(collection, false),
    async getAllServerDocs() {
      const session = await openSession(service, space)
      const { changes } = await session.request<Page>('/api/changes?collections=human')
      return changes.map(({ value, deleted }) => ({ ...(value as object), deleted }))
    },
    async cleanUpServer() {
      space = newSpace()
    },
    softDeletes: true,
    isDeleted: ({ deleted }: { deleted?: boolean }) => deleted === true,
    getPrimaryOfServerDoc: ({ passportId }: { passportId: string }) => passportId,
  })
})
