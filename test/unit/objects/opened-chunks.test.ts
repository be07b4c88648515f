import { expect, test } from 'vitest'
import type { Chunk } from '../../../worker/src/core/log/chunk.ts'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import { openOne } from '../../../worker/src/objects/upkeep/opened-chunks.ts'

test('[KR6] reports no chunk as unreadable if the keys of the space cannot be derived now', async () => {
  const space = { keys: () => Promise.reject(new Error('the disk is full')) } as unknown as Space
  await expect(openOne(space, {} as Chunk, { first: 1, last: 1, at: 1 })).rejects.toThrow('the disk is full')
})
