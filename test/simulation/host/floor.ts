/** What of the product a history runs: the object floor without the platform's class around it. */
import { decodeChunks, versionsOf } from '../../../worker/src/core/chunk.ts'
import { listConflicts } from '../../../worker/src/objects/conflicts.ts'
import { eraseSpace } from '../../../worker/src/objects/erase.ts'
import { readHistory } from '../../../worker/src/objects/history.ts'
import { liveOf } from '../../../worker/src/objects/live.ts'
import { resolveConflict } from '../../../worker/src/objects/resolve.ts'
import { keyring } from '../../../worker/src/objects/seal.ts'
import { openSpace } from '../../../worker/src/objects/space.ts'
import { sync } from '../../../worker/src/objects/sync.ts'
import { migrate } from '../../../worker/src/objects/tables.ts'
import { upkeep } from '../../../worker/src/objects/upkeep.ts'
import { planted, platform } from './platform.ts'

export const floor = {
  decodeChunks,
  eraseSpace,
  keyring,
  listConflicts,
  liveOf,
  migrate,
  openSpace,
  planted,
  platform,
  readHistory,
  resolveConflict,
  sync,
  upkeep,
  versionsOf,
}

/** The same functions again, maybe with one line of the product broken on purpose. */
export type Floor = typeof floor
