import { addRxPlugin } from 'rxdb'
import { RxDBAttachmentsPlugin } from 'rxdb/plugins/attachments'
import { disableWarnings, RxDBDevModePlugin } from 'rxdb/plugins/dev-mode'
import { RxDBLeaderElectionPlugin } from 'rxdb/plugins/leader-election'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { setConfig } from 'rxdb/plugins/test-utils'
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'

// RxDB's own test helpers open databases twice, which RxDB allows only in its development mode.
disableWarnings()
for (const plugin of [RxDBDevModePlugin, RxDBAttachmentsPlugin, RxDBLeaderElectionPlugin]) addRxPlugin(plugin)

/** RxDB's storage in memory. The storage keeps a closed database, so opening the database again is a restart. */
export const memory = wrappedValidateAjvStorage({ storage: getRxStorageMemory() })

/** Tells RxDB's tests which storage to use. They read only `name` of the other fields. */
export function useMemory(): void {
  setConfig({ storage: { name: 'memory', getStorage: () => memory } } as Parameters<typeof setConfig>[0])
}
