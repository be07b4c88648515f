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

  /** A page of entries behind a key, without parsing them. */
  page(after) {
    const rows = this.ctx.storage.sql
      .exec('SELECT key, value FROM entry WHERE key > ? ORDER BY key LIMIT 500', after)
      .toArray()
    const entries = rows.map(({ key, value }) => `{"key":${JSON.stringify(key)},"value":${value}}`)
    return `{"changes":[${entries.join(',')}],"after":${JSON.stringify(rows.at(-1)?.key ?? '')}}`
  }

  /** Makes a large space for the measurements of sizes. */
  fill(count, value) {
    this.ctx.storage.sql.exec(
      `WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < ? - 1)
       INSERT INTO entry SELECT printf('n/%07d', n), ? FROM number`,
      count,
      value,
    )
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/') return new Response('no space')
    const space = env.SPACE.getByName(pathname)
    if (request.method === 'GET') return new Response(await space.page(searchParams.get('after') ?? ''))
    const fill = searchParams.get('fill')
    if (fill === null) await space.put((await request.json()).changes)
    else if (fill !== '0') await space.fill(Number(fill), await request.text())
    return Response.json({ success: true })
  },
}
