// The least work that a Durable Object can do for its listeners: stores a change and sends its text to every socket. The
// object may hibernate.
import { DurableObject } from 'cloudflare:workers'

export class Space extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT)')
  }

  fetch() {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  put(change) {
    const { key, value } = JSON.parse(change)
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO entry VALUES (?, ?)', key, JSON.stringify(value))
    for (const socket of this.ctx.getWebSockets()) socket.send(change)
  }
}

export default {
  async fetch(request, env) {
    const space = env.SPACE.getByName(new URL(request.url).pathname)
    if (request.headers.get('upgrade') === 'websocket') return space.fetch(request)
    await space.put(await request.text())
    return Response.json({ success: true })
  },
}
