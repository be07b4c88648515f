import { addRxPlugin } from 'rxdb'
import { RxDBAttachmentsPlugin } from 'rxdb/plugins/attachments'
import { disableWarnings, RxDBDevModePlugin } from 'rxdb/plugins/dev-mode'
import { RxDBLeaderElectionPlugin } from 'rxdb/plugins/leader-election'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { setConfig } from 'rxdb/plugins/test-utils'
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'

// RxDB's own helpers open databases twice, which it allows in its development mode only.
disableWarnings()
for (const plugin of [RxDBDevModePlugin, RxDBAttachmentsPlugin, RxDBLeaderElectionPlugin]) addRxPlugin(plugin)

/** RxDB's storage in memory. It keeps a database that was closed, so that opening it again is a restart. */
export const memory = wrappedValidateAjvStorage({ storage: getRxStorageMemory() })

/** Tells RxDB's tests which storage to use; `name` is all that they ask of the rest. */
export function useMemory(): void {
  setConfig({ storage: { name: 'memory', getStorage: () => memory } } as Parameters<typeof setConfig>[0])
}
