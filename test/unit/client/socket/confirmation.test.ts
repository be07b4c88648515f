import { describe, expect, test } from 'vitest'
import { confirmationOf } from '../../../../client/src/service/confirmation.ts'
import { Hand, settle } from '../../../support/client/hand.ts'
import { cursorOf, live, write } from '../../../support/client/hand-live.ts'

describe('what a socket brings', () => {
  test('is confirmed for several frames at once: within five seconds, or after 8 KiB', async () => {
    const device = await live()
    const { hand, socket } = device
    const seen = () => socket().sent.flatMap(({ type, cursor }) => (type === 'seen' ? [cursor] : []))
    const receive = async (value: unknown) => {
      socket().say(write(device, await cursorOf(device), 'notes/a', value))
      await settle()
    }
    await hand.pass(5_000)
    const before = seen().length
    const since = () => seen().slice(before)
    await receive(1)
    await hand.pass(3_000)
    await receive(2)
    await hand.pass(1_999)
    expect(since()).toEqual([])
    await hand.pass(1)
    const soon = await cursorOf(device)
    expect(since()).toEqual([soon])
    let most = 0
    for (let n = 0; since().length === 1; n += 1) {
      await receive({ n })
      most = n + 1
    }
    // The service sends no more than 32.
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThan(32)
    const full = await cursorOf(device)
    await receive('ж'.repeat(2_730))
    const long = await cursorOf(device)
    expect(since()).toEqual([soon, full, long])
    await hand.pass(60_000)
    expect(since()).toEqual([soon, full, long])
    hand.isVisible = false
    await receive({ n: 8 })
    expect(since()).toEqual([soon, full, long, await cursorOf(device)])
  })

  test('is confirmed for several frames at once on a slow device, which has taken only some of them', async () => {
    const device = await live()
    const { hand, socket } = device
    await hand.pass(5_000)
    const before = socket().sent.length
    for (let n = 0; n < 30; n += 1) socket().say(write(device, `one.${n + 1}`, 'notes/a', { n }))
    await settle()
    await hand.pass(5_000)
    const seen = socket()
      .sent.slice(before)
      .filter(({ type }) => type === 'seen')
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.length).toBeLessThan(10)
    expect(seen.at(-1)).toEqual({ type: 'seen', cursor: await cursorOf(device) })
  })
})

describe('what a socket brought', () => {
  test('is confirmed before the socket closes', async () => {
    const device = await live()
    const { db, hand, socket } = device
    await hand.pass(5_000)
    socket().say(write(device, await cursorOf(device), 'notes/a', { n: 1 }))
    await settle()
    const cursor = await cursorOf(device)
    await db.close()
    expect(socket().sent.at(-1)).toEqual({ type: 'seen', cursor })
  })

  test('is confirmed by a push that is accepted', async () => {
    const device = await live()
    const { db, hand, socket } = device
    await hand.pass(5_000)
    const before = socket().sent.length
    socket().say(write(device, await cursorOf(device), 'notes/a', 1))
    await settle()
    await hand.pass(4_999)
    await db.collection('notes').put('b', { n: 1 }).synced
    await hand.pass(4_999)
    const since = () =>
      socket()
        .sent.slice(before)
        .map(({ type }) => type)
    expect(since()).toEqual(['push'])
    await hand.pass(1)
    expect(since()).toEqual(['push', 'seen'])
  })
})

test('a position that no message led to is confirmed at once, and what came before it counts no more', async () => {
  const hand = new Hand()
  const confirmed: string[] = []
  const confirmation = confirmationOf(hand.platform(undefined), (cursor) => confirmed.push(cursor))
  confirmation.seen('first')
  for (let n = 0; n < 100; n += 1) confirmation.received(`passed-${n}`, 1_000)
  confirmation.seen('pulled')
  expect(confirmed).toEqual(['first', 'pulled'])
  confirmation.received('next', 100)
  confirmation.seen('next')
  expect(confirmed).toEqual(['first', 'pulled'])
  await hand.pass(5_000)
  expect(confirmed).toEqual(['first', 'pulled', 'next'])
})
