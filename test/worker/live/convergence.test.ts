import { expect, test } from 'vitest'
import type { Device } from '../../support/worker/client.ts'
import { type Follower, follow, pause } from '../../support/worker/follower.ts'
import { type Entry, numbered, puts, roomOf } from '../../support/worker/room.ts'

/**
 * Follows a space as the specification says: applies a frame that begins at its cursor, and ignores one that ends there.
 * At any other frame it pulls, confirms its position, and ignores frames in flight until one begins there.
 */
async function followTheSpec(device: Device, socket: Follower, isDone: () => boolean) {
  const copy = new Map<string, unknown>()
  const seen = { frames: 0, pulls: 0, pokes: 0 }
  let cursor: string | null = null
  const apply = (changes: Entry[]) => {
    for (const { key, value } of changes) copy.set(key, value)
  }
  const pull = async () => {
    seen.pulls += 1
    for (let more = true; more; ) {
      const { body }: { body: { changes: Entry[]; cursor: string; more: boolean } } = await device.get(
        `/api/changes${cursor === null ? '' : `?cursor=${cursor}`}`,
      )
      apply(body.changes)
      cursor = body.cursor
      more = body.more
    }
  }
  await pull()
  socket.seen(cursor ?? '')
  let pulled = true
  for (let quiet = 0; quiet < 60; quiet++) {
    const frame = socket.poll()
    if (frame === undefined) {
      if (!isDone()) quiet = 0
      await pause(5)
      continue
    }
    quiet = 0
    if (frame.type === 'changes' && frame.from === cursor) {
      apply(frame.changes)
      cursor = frame.cursor
      seen.frames += 1
      pulled = false
    } else if (frame.type === 'poke' || (frame.cursor !== cursor && !pulled)) {
      seen.pokes += Number(frame.type === 'poke')
      await pull()
      pulled = true
    }
    socket.seen(cursor ?? '')
  }
  return { copy, cursor, seen }
}

test('[LV3] brings a client that follows the specification to the state of the feed, whatever is pushed meanwhile', async () => {
  const { devices } = await roomOf(5)
  const [reader, ...writers] = devices as [Device, ...Device[]]
  const socket = await follow(reader)
  let done = false
  const following = followTheSpec(reader, socket, () => done)
  await Promise.all(
    writers.map(async (writer, place) => {
      for (let round = 0; round < 25; round++) {
        const many =
          round % 9 === place
            ? numbered(`w${place}`, 130)
            : [`k/${(round * 7 + place) % 20}`, `w${place}/${round}`]
        await pause(place)
        await writer.sync({ batch: round + 1, changes: puts(many, `${place}.${round}`) })
      }
    }),
  )
  done = true
  const { copy, cursor, seen } = await following
  const whole = new Map<string, unknown>()
  let position: string | null = null
  for (let more = true; more; ) {
    const { body }: { body: { changes: Entry[]; cursor: string; more: boolean } } = await reader.get(
      `/api/changes${position === null ? '' : `?cursor=${position}`}`,
    )
    for (const { key, value } of body.changes) whole.set(key, value)
    position = body.cursor
    more = body.more
  }
  expect(copy).toEqual(whole)
  expect(cursor).toBe(position)
  expect(seen.frames).toBeGreaterThan(5)
  console.info(`LV3: ${JSON.stringify(seen)}, ${copy.size} entries`)
})
