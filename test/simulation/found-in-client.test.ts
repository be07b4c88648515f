/** Bugs of the client that histories of devices have found, each reproduced in as few steps as possible. */
import { expect, test } from 'vitest'
import { Editor } from '../../client/src/editor.ts'
import { newState } from '../../client/src/replica/state.ts'
import { MemoryStore } from '../../client/src/store/memory.ts'
import type { Store } from '../../client/src/store/store.ts'

test('settles an edit although the answer to it overtakes the end of its transaction', async () => {
  const memory = new MemoryStore()
  await memory.update({}, () => ({ state: newState('a', 0) }))
  const store: Store = Object.assign(Object.create(memory), {
    read: memory.read.bind(memory),
    async update(...given: Parameters<Store['update']>) {
      const writes = await memory.update(...given)
      // Another tab leads, and has sent the edit before this one hears that it is saved.
      for (const { id, key } of writes.edits ?? []) editor.settle({ id, key, answer: { status: 'merged' } })
      return writes
    },
  })
  const editor = new Editor({
    store: () => store,
    born: () => 0,
    check: () => {},
    onQueued: () => {},
    onFailure: (reason) => Promise.reject(reason),
  })
  const edit = editor.edit(() => ({ draft: { key: 'notes/1', value: 1, timestamp: 5 } }))
  await edit
  await expect(edit.synced).resolves.toEqual({ status: 'merged' })
}, 5_000)
