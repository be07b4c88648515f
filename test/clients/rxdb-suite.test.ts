import type { RxCollection } from 'rxdb'
import { runReplicationBaseTestSuite } from 'rxdb/plugins/test-utils'
import { describe, inject } from 'vitest'
import { replicateChronicle } from '../../client/src/rxdb.ts'
import { newSpace, readerOf } from './network.ts'
import { attachmentsIn, WITHOUT_ATTACHMENTS } from './rxdb-attachments.ts'
import { openAt } from './rxdb-device.ts'
import { useMemory } from './rxdb-storage.ts'

useMemory()

let space = newSpace()

const HUMANS = { name: 'human', waitForLeadership: false, retryTime: 100 }

async function syncOnce(collection: RxCollection, attachments = false): Promise<void> {
  const { service } = await openAt(space)
  const modifiers = attachments ? attachmentsIn(service) : WITHOUT_ATTACHMENTS
  const state = replicateChronicle({ ...HUMANS, service, collection, live: false, ...modifiers })
  await state.awaitInitialReplication()
}

describe('[IT5] passes the replication tests that RxDB publishes', () => {
  runReplicationBaseTestSuite({
    startReplication: async (collection) =>
      replicateChronicle({ ...HUMANS, service: (await openAt(space)).service, collection }),
    syncOnce,
    syncOnceWithAttachments: (collection) => syncOnce(collection, true),
    syncOnceWithAttachmentsDisabled: (collection) => syncOnce(collection, false),
    async getAllServerDocs() {
      const read = await readerOf(inject('service'), space)
      const { changes } = await read<{ changes: { value: object; deleted?: boolean }[] }>(
        '/api/changes?collections=human',
      )
      return changes.map(({ value, deleted }) => ({ ...value, deleted }))
    },
    async cleanUpServer() {
      space = newSpace()
    },
    softDeletes: true,
    isDeleted: ({ deleted }: { deleted?: boolean }) => deleted === true,
    getPrimaryOfServerDoc: ({ passportId }: { passportId: string }) => passportId,
  })
})
