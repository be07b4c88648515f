import { expect, test } from 'vitest'
import {
  MAX_ALL_QUEUED_LENGTH,
  MAX_LONE_LENGTH,
  MAX_QUEUED_LENGTH,
  MAX_QUEUED_MESSAGES,
} from '../../../worker/src/core/values/socket-limits.ts'
import { queue } from '../../../worker/src/objects/live/queue.ts'

/** Work that lasts until the test ends it. */
function pending() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

/** The queue only compares sockets. */
const newSocket = () => ({}) as WebSocket

test('lets messages of one socket wait up to their common length, and not one character more', async () => {
  const { enqueue } = queue()
  const socket = newSocket()
  const { work, end } = pending()
  const first = enqueue(socket, MAX_QUEUED_LENGTH - 10, work)
  expect(enqueue(socket, 11, work)).toBe(false)
  const second = enqueue(socket, 10, work)
  expect(second).not.toBe(false)
  expect(enqueue(socket, 1, work)).toBe(false)
  end()
  await Promise.all([first, second])
  expect(enqueue(socket, MAX_QUEUED_LENGTH, work)).not.toBe(false)
})

test('begins the work of a message at once if none is before it, and otherwise after that one', async () => {
  const { enqueue } = queue()
  const socket = newSocket()
  const { work, end } = pending()
  const begun: string[] = []
  const begin = (name: string) => () => {
    begun.push(name)
    return work()
  }
  const turns = ['first', 'second'].map((name) => enqueue(socket, 1, begin(name)))
  turns.push(enqueue(newSocket(), 1, begin('other')))
  expect(begun).toEqual(['first', 'other'])
  end()
  await Promise.all(turns)
  expect(begun).toEqual(['first', 'other', 'second'])
})

test('lets only so many messages of one socket wait, however short they are', () => {
  const { enqueue } = queue()
  const socket = newSocket()
  const { work } = pending()
  const taken = Array.from({ length: MAX_QUEUED_MESSAGES + 1 }, () => enqueue(socket, 1, work) !== false)
  expect(taken.indexOf(false)).toBe(MAX_QUEUED_MESSAGES)
})

test('bounds the messages of all sockets together, but always takes a short one from an idle socket', () => {
  const { enqueue } = queue()
  const { work } = pending()
  const full = MAX_ALL_QUEUED_LENGTH / MAX_QUEUED_LENGTH
  for (let socket = 0; socket < full; socket += 1) {
    expect(enqueue(newSocket(), MAX_QUEUED_LENGTH, work)).not.toBe(false)
  }
  expect(enqueue(newSocket(), MAX_LONE_LENGTH + 1, work)).toBe(false)
  expect(enqueue(newSocket(), MAX_LONE_LENGTH, work)).not.toBe(false)
})
