// The least work that a Durable Object can do for a batch: the Worker parses it, one RPC, one statement for each change.
import { DurableObject } from 'cloudflare:workers'

export class Space extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT)')
  }

  put(changes) {
    for (const { key, value } of changes) {
      this.ctx.storage.sql.exec('INSERT OR REPLACE INTO entry VALUES (?, ?)', key, JSON.stringify(value))
    }
  }
}

export default {
  async fetch(request, env) {
    const { changes } = await request.json()
    await env.SPACE.getByName(new URL(request.url).pathname).put(changes)
    return Response.json({ success: true })
  },
}
