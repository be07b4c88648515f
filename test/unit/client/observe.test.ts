import { expect, test } from 'vitest'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import type { Found, Wanted } from '../../../client/src/store/store.ts'
import type { RowChange } from '../../../client/src/view/view.ts'
import { settle } from '../../support/client/hand.ts'
import { handDevice } from '../../support/client/hand-device.ts'

type Told = readonly (readonly RowChange<object>[])[]

/** A read of a collection fails, for a reason that no reopening mends. */
class FailingStore extends MemoryStore {
  failures = 0

  override async read(wanted: Wanted): Promise<Found> {
    if (wanted.prefix !== undefined && wanted.prefix !== '' && this.failures > 0) {
      this.failures -= 1
      throw new Error('the disk is busy')
    }
    return super.read(wanted)
  }
}

function namesIn(told: Told): readonly (readonly string[])[] {
  return told.map((changes) => changes.map(({ id, row }) => (row ? id : `-${id}`)))
}

test('tells observers all rows first, and then what changes, before settled() resolves', async () => {
  const { db } = await handDevice()
  const notes = db.collection('notes')
  const early: (readonly RowChange<object>[])[] = []
  notes.observe((changes) => early.push(changes))
  await notes.settled()
  expect(namesIn(early)).toEqual([[]])
  await notes.put('a', { n: 1 })
  await notes.settled()
  expect(namesIn(early).at(-1)).toEqual(['a'])
  const late: (readonly RowChange<object>[])[] = []
  const stop = notes.observe((changes) => late.push(changes))
  expect(namesIn(late)).toEqual([['a']])
  stop()
  await notes.delete('a')
  await notes.settled()
  expect(namesIn(late)).toEqual([['a']])
  expect(namesIn(early).at(-1)).toEqual(['-a'])
})

test('tells observers no empty collection when a read has failed, and all rows after the next one', async () => {
  const store = new FailingStore()
  const { db } = await handDevice({ store })
  const notes = db.collection('notes')
  await notes.put('a', { n: 1 })
  await notes.put('b', { n: 1 })
  store.failures = 1
  const told: (readonly RowChange<object>[])[] = []
  notes.observe((changes) => told.push(changes))
  await settle()
  await notes.put('c', { n: 1 })
  await notes.settled()
  expect(namesIn(told)[0]).toEqual(expect.arrayContaining(['a', 'b']))
  expect(await notes.all()).toHaveLength(3)
})
