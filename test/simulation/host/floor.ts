/** The part of the product that a history runs: the object floor without the Durable Object class. */
import { decodeChunks, versionsOf } from '../../../worker/src/core/log/chunk.ts'
import { liveOf } from '../../../worker/src/objects/live/live.ts'
import { listConflicts } from '../../../worker/src/objects/read/conflicts.ts'
import { readHistory } from '../../../worker/src/objects/read/history.ts'
import { checkCredential } from '../../../worker/src/objects/space/admission.ts'
import { clientStateOf } from '../../../worker/src/objects/space/client.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { spaceKeys } from '../../../worker/src/objects/store/seal.ts'
import { migrate } from '../../../worker/src/objects/store/tables.ts'
import { eraseSpace } from '../../../worker/src/objects/transfer/erase.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'
import { resolveConflict } from '../../../worker/src/objects/write/resolve.ts'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { planted } from './planted.ts'
import { platform } from './platform.ts'

export const floor = {
  checkCredential,
  clientStateOf,
  decodeChunks,
  eraseSpace,
  spaceKeys,
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

/** The same functions, maybe with a planted bug. */
export type Floor = typeof floor
