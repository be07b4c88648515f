import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { MAX_MESSAGE_BYTES } from '../../../worker/src/core/values/limits.ts'
import { CONFIG_KEY } from '../../../worker/src/schema/stored/config.ts'
import { configure, device, mint, newSpace } from '../../support/worker/client.ts'
import { follow, pause } from '../../support/worker/follower.ts'
import { numbered, pushed, puts, T } from '../../support/worker/room.ts'

test('[LV10] takes a message other than a push up to 4 KiB', async () => {
  const { a } = await newSpace()
  for (const [text, excess] of [
    ['{"type":"ping" }', 0],
    ['{"type":"ping" }', 1],
    ['{', 1],
    [`{"type":"seen","cursor":"${'x'.repeat(900_000)}"}`, 1],
  ] as const) {
    const socket = await follow(a)
    await socket.next()
    socket.say(text.padEnd(4096 + excess, ' '))
    if (excess === 0) expect(await socket.next()).toEqual({ type: 'pong' })
    else expect(await socket.closed()).toMatchObject({ code: 1009 })
  }
})

test('[LV10] replies to a ping without waking the object, and to an invalid message with an error', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  socket.say('{"type":"ping"}')
  expect(await socket.next()).toEqual({ type: 'pong' })
  socket.say('{ "type": "ping" }')
  expect(await socket.next()).toEqual({ type: 'pong' })
  const wrong: [string, string][] = [
    ['', 'not-json'],
    ['{', 'not-json'],
    ['null', 'invalid-request'],
    ['[]', 'invalid-request'],
    ['{}', 'invalid-request'],
    ['{"type":"toString"}', 'invalid-request'],
    ['{"type":"seen"}', 'invalid-request'],
    ['{"type":"seen","cursor":1}', 'invalid-request'],
    ['{"type":"seen","cursor":"x"}', 'invalid-request'],
    ['{"type":"push","body":{}}', 'invalid-request'],
    [`{"type":"push","id":"${'x'.repeat(65)}","body":{}}`, 'invalid-request'],
    ['{"type":"push","id":7,"body":{"changes":[]}}', 'invalid-request'],
    ['{"type":"push","id":"\\ud800","body":{"changes":[]}}', 'invalid-request'],
    ['{"type":"seen","cursor":"\\ud800"}', 'invalid-request'],
    ['{"type":"seen","id":"x"', 'not-json'],
  ]
  for (const [text, code] of wrong) {
    socket.say(text)
    expect(await socket.next(), text).toMatchObject({ type: 'error', body: { code, success: false } })
  }
  expect(await pushed(socket, 'still', { changes: [] })).toMatchObject({ status: 200 })
})

test('[ER12] acknowledges every push that has an id, whatever is wrong with its message', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const long = 'y'.repeat(10_000)
  const wrong: [string, number, string][] = [
    ['{"type":"push","id":"x"}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":null}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":[]}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[]},"more":1}', 422, 'invalid-request'],
    ['{"body":{"changes":[]},"more":{"type":1},"id":"x","type":"push"}', 422, 'invalid-request'],
    [`{"type":"push","id":"x","body":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[{"key":"\\ud800"}]}}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[]', 400, 'not-json'],
    ['{"id":"x","type":"push","body":{"changes":[]', 400, 'not-json'],
    ['{ "type": "push", "id": "x", "body": {"changes": [,]}}', 400, 'not-json'],
    [`{"type":"push","id":"x","body":{"changes":[{"key":"${long}"`, 400, 'not-json'],
    [`{"type":"push","id":"x","body":${'['.repeat(1_000_000)}`, 400, 'not-json'],
  ]
  for (const [text, status, code] of wrong) {
    socket.say(text)
    const ack = await socket.next()
    expect(ack, text.slice(0, 80)).toMatchObject({
      type: 'ack',
      id: 'x',
      status,
      body: { code, success: false },
    })
  }
  expect(await pushed(socket, 'still', { changes: [] })).toMatchObject({ status: 200 })
})

test('[LV10] ends a socket with 1003 at a binary message', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  socket.say(new TextEncoder().encode('{"type":"ping"}').buffer)
  expect(await socket.closed()).toMatchObject({ code: 1003 })
})

test('[LV10] takes a message up to its limit, and ends the socket with 1009 at a larger one', async () => {
  const { a } = await newSpace()
  for (const excess of [-1, 0, 1]) {
    const socket = await follow(a)
    await socket.next()
    const message = JSON.stringify({ type: 'push', id: 'x', body: { changes: [] } })
    socket.say(message.padEnd(MAX_MESSAGE_BYTES + excess, ' '))
    if (excess <= 0) expect(await socket.next()).toMatchObject({ type: 'ack', status: 200 })
    else expect(await socket.closed()).toMatchObject({ code: 1009 })
  }
})

test('[LV10] takes any body of a request in a message', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const body = { batch: 1, changes: puts(numbered('v', 4), 'v'.repeat(262_000)) }
  expect(JSON.stringify(body).length).toBeLessThan(1_048_576)
  expect((await pushed(socket, 'x'.repeat(64), body)).body.synced).toHaveLength(4)
})

test('[LV20] charges nothing for the `seen` after a poke, whatever the pulled page led to', async () => {
  await configure({ requestsPerMinute: { client: 6 } })
  const space = crypto.randomUUID()
  const [writer, reader] = [await device(await mint({ space })), await device(await mint({ space }))]
  let { cursor } = (await writer.sync({ cursor: null, changes: [{ key: 'k/0', value: 0, timestamp: T }] }))
    .body
  const socket = await follow(reader, `?cursor=${cursor}`)
  for (let n = 1; n <= 4; n++) {
    await writer.sync({ changes: [{ key: `k/${n}`, value: 'x'.repeat(100_000), timestamp: T }] })
    expect((await socket.next()).type).toBe('poke')
    const pulled = await reader.get(`/api/changes?cursor=${cursor}`)
    expect(pulled.status).toBe(200)
    cursor = pulled.body.cursor
    socket.seen(cursor)
  }
  await pause(50)
  expect(socket.poll()).toBeUndefined()
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
})

test('[LV20] ends the socket of a flood, and refuses a long push over budget by its id, unread', async () => {
  await configure({ requestsPerMinute: { client: 1 } })
  const reader = await device(await mint({ space: crypto.randomUUID() }))
  const socket = await follow(reader)
  await socket.next()
  const long = (id: string) => `{"type":"push","id":"${id}","body":{"changes":[],"x":"${'y'.repeat(10_000)}"`
  socket.say(long('no-json-at-all'))
  expect(await socket.next()).toMatchObject({ type: 'ack', id: 'no-json-at-all', status: 429 })
  for (let n = 0; n < 16; n++) socket.say(long(`p${n}`))
  expect(await socket.closed()).toMatchObject({ code: 4429 })
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
})
