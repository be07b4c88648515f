import { expect, test } from 'vitest'
import { onBench, pushOf } from './socket-bench.ts'

test('[LV8] keeps a push waiting for the one before, however long that takes', async () => {
  let calls = 0
  const slow = {
    async limit() {
      calls += 1
      if (calls === 1) await scheduler.wait(50)
      return { success: true }
    },
  }
  const client = await onBench({ SYNC_LIMIT: slow }, async ({ live, socket }) => {
    await Promise.all(['1', '2', '3'].map((id) => live.receive(socket, pushOf(id, `k/${id}`))))
  })
  const acks = (await client.rest()).filter(({ type }) => type === 'ack')
  expect(acks.map(({ id, body }) => `${id} ${body.results[0].version.split('.')[1]}`)).toEqual([
    '1 1',
    '2 2',
    '3 3',
  ])
})

/** Rate limit that lets no request through before `open` is called. */
function closedPlace(): { readonly SYNC_LIMIT: RateLimit; readonly open: () => void } {
  const opened = Promise.withResolvers<void>()
  return {
    SYNC_LIMIT: { limit: () => opened.promise.then(() => ({ success: true })) },
    open: opened.resolve,
  }
}

test('[LV22] queues a hundred messages of a socket or 4 MiB, and ends the socket at one more without taking them', async () => {
  for (const [message, most] of [
    ['{"type":"ping" }', 100],
    [pushOf('x', 'k'.repeat(1_000_000)), 5],
  ] as const) {
    const place = closedPlace()
    const client = await onBench(place, async ({ live, space, socket }) => {
      const turns = [live.receive(socket, pushOf('first', 'k/1'))]
      await scheduler.wait(1)
      while (turns.length < most) turns.push(live.receive(socket, message))
      expect(socket.readyState).toBe(WebSocket.OPEN)
      turns.push(live.receive(socket, message))
      expect(socket.readyState).not.toBe(WebSocket.OPEN)
      place.open()
      await Promise.all(turns)
      expect(space.state.seq).toBe(1)
    })
    expect(await client.closed()).toMatchObject({ code: 4429 })
  }
})

test('[LV22] ends a socket with a queued message once 16 MiB of all sockets wait, and no other socket', async () => {
  const place = closedPlace()
  await onBench(place, async ({ live, socket, ctx }) => {
    const message = pushOf('x', 'k'.repeat(1_000_000))
    const sockets = Array.from({ length: 20 }, () => {
      const { 0: client, 1: server } = new WebSocketPair()
      ctx.acceptWebSocket(server)
      server.serializeAttachment(socket.deserializeAttachment())
      return { client, server }
    })
    const turns = sockets.map(({ server }) => live.receive(server, message))
    const isOpen = ({ server }: { server: WebSocket }) => server.readyState === WebSocket.OPEN
    // Sixteen messages of a megabyte fit. Further long ones do not, short ones of other sockets do.
    expect(sockets.filter(isOpen)).toHaveLength(16)
    turns.push(
      live.receive(socket, pushOf('y', 'k/1')),
      live.receive(sockets[0]?.server as WebSocket, message),
    )
    expect(sockets.filter(isOpen)).toHaveLength(15)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    place.open()
    await Promise.all(turns)
  })
})
