/** The part of the product that a device runs: the client without the parts that know a browser. */
import { Chronicle } from '../../../client/src/chronicle.ts'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import { planted } from '../host/planted.ts'

export const client = { Chronicle, MemoryStore, planted }

/** The same classes, maybe with a planted bug. */
export type Client = typeof client
