import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Device, device, mint, send } from '../../support/worker/client.ts'

const T = Date.now() - 60_000

async function spaceWith(value: string): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  await a.sync({
    batch: 1,
    changes: [
      { key: 'k/1', value, timestamp: T },
      { key: 'k/2', value: 2, timestamp: T },
    ],
  })
  await a.sync({ batch: 2, changes: [{ key: 'k/1', value: `${value}!`, timestamp: T + 1 }] })
  return { space, a }
}

/** Decodes one character a byte. */
function bytesText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** Reads every cell of every table, bytes as text. */
function dump(space: string): Promise<string> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
      )
      .toArray()
    const rows = tables.flatMap(({ name }) => storage.sql.exec(`SELECT * FROM "${name}"`).toArray())
    const cells = rows.flatMap((row) => Object.values(row))
    return cells
      .map((cell) => (cell instanceof ArrayBuffer ? bytesText(new Uint8Array(cell)) : cell))
      .join('\n')
  })
}

test('[SG3] seals values at rest', async () => {
  const { space } = await spaceWith('canary-4711')
  const stored = await dump(space)
  expect(stored).toContain('k/1')
  expect(stored).not.toContain('canary-4711')
})

test('[SG4] keeps stored entries through a restart of the object', async () => {
  const { space, a } = await spaceWith('v')
  const before = await a.sync({ changes: [], cursor: null })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const after = await a.sync({ changes: [], cursor: null })
  expect({ ...after.body, serverTime: 0 }).toEqual({ ...before.body, serverTime: 0 })
  expect((await a.sync({ batch: 3, changes: [{ key: 'k/3', value: 3, timestamp: T }] })).body.success).toBe(
    true,
  )
  const next = await a.get(`/api/changes?cursor=${before.body.cursor}`)
  expect(next.body.changes).toMatchObject([{ key: 'k/3' }])
})

test('[SG4] keeps a revocation through a restart of the object', async () => {
  const { space, a } = await spaceWith('v')
  await send('DELETE', '/api/auth', { bearer: a.session })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await a.get('/api/status')).body.code).toBe('session-ended')
})

/** Rewrites the log with `change`, and returns the replies to readers. */
async function tampered(
  change: (body: Uint8Array) => Uint8Array,
): Promise<{ status: number; text: string }[]> {
  const { space, a } = await spaceWith('secret')
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    const { first, body } = storage.sql
      .exec<{ first: number; body: ArrayBuffer }>('SELECT first, body FROM segment')
      .one()
    storage.sql.exec('UPDATE segment SET body = ? WHERE first = ?', change(new Uint8Array(body)), first)
  })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const paths = ['/api/entries?key=k/1', '/api/changes']
  const replies = await Promise.all(paths.map((path) => a.get(path)))
  return replies.map(({ status, body }) => ({ status, text: JSON.stringify(body) }))
}

test('[SG5] reports a changed, swapped or older chunk as corruption, and never shows a wrong value', async () => {
  const changes: ((body: Uint8Array) => Uint8Array)[] = [
    (body) => body.with(body.length - 1, (body.at(-1) ?? 0) ^ 1),
    (body) => body.with(body.length - 40, (body.at(-40) ?? 0) ^ 1),
    passOffOlder,
    claimOtherBatch,
  ]
  for (const change of changes) {
    for (const { status, text } of await tampered(change)) {
      expect(status).toBe(500)
      expect(text).toContain('"code":"internal"')
      expect(text).not.toContain('secret')
    }
  }
})

/** Puts the first batch's chunk in place of the second, under the second's sequence numbers. */
function passOffOlder(body: Uint8Array): Uint8Array {
  const end = 8 + new DataView(body.buffer).getUint32(0) + new DataView(body.buffer).getUint32(4)
  const first = body.slice(0, end)
  const moved = Uint8Array.from(bytesText(first).replace('"s":[1,0,0,', '"s":[3,1,0,'), (unit) =>
    unit.charCodeAt(0),
  )
  expect(moved).not.toEqual(first)
  const both = new Uint8Array(first.length + moved.length)
  both.set(first)
  both.set(moved, first.length)
  return both
}

/** Changes the batch in the clear frame of a chunk: the seal binds its origin. */
function claimOtherBatch(body: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytesText(body).replace('"b":2', '"b":3'), (unit) => unit.charCodeAt(0))
  expect(changed).not.toEqual(body)
  return changed
}

test('[SG5] reports a frame that assigns its contents differently as corruption, in the history too', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  const changes = [1, 2].map((value) => ({ key: 'k', value: `secret-${value}`, timestamp: T }))
  await a.sync({ changes })
  const frames = [
    '[2,0,0,1,1,1]',
    '[1,0,1,2,1,0]',
    '[1,0,0,2,1,0]',
    '[1,0,1,2,1,1]',
    '[1,0,0,2,1,2]',
    '[1,2,0,2,1,1]',
  ]
  for (const frame of frames) {
    await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
      const { body } = storage.sql.exec<{ body: ArrayBuffer }>('SELECT body FROM segment').one()
      const text = bytesText(new Uint8Array(body)).replace(/(?<="s":)\[[\d,]+\]/, frame)
      const changed = Uint8Array.from(text, (unit) => unit.charCodeAt(0))
      storage.sql.exec('UPDATE segment SET body = ?', changed)
    })
    await evictDurableObject(env.CHRONICLE.getByName(space))
    for (const path of ['/api/history?key=k', '/api/entries?key=k', '/api/changes']) {
      const reply = await a.get(path)
      expect(reply, `${path} of ${frame}`).toMatchObject({ status: 500, body: { code: 'internal' } })
    }
  }
})

test('[SG5] reports a conflict whose sides are of two keys as corruption, and does not show the other key', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  const changes = ['open/1', 'secret/1'].map((key) => ({ key, value: key, timestamp: T }))
  await a.sync({ changes })
  const b = await device(await mint({ space, collections: ['open'] }))
  const lost = { key: 'open/1', value: 'lost', timestamp: T - 1, base: null }
  const [{ id }] = (await b.sync({ batch: 1, changes: [lost] })).body.conflicts
  for (const side of ['loser', 'winner']) {
    await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
      storage.sql.exec(`UPDATE conflict SET open = 1, resolution = 'open', ${side} = 2`)
    })
    const replies = [
      await b.get('/api/conflicts'),
      await b.sync({ batch: 1, changes: [lost] }),
      await send('POST', `/api/conflicts/${id}/resolve`, {
        body: { choice: side, base: null },
        bearer: b.session,
      }),
    ]
    for (const { status, body } of replies) {
      expect(`${status} ${body.code}`, side).toBe('500 internal')
      expect(JSON.stringify(body)).not.toContain('secret/1')
    }
    await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
      storage.sql.exec('UPDATE conflict SET winner = 1, loser = 3')
    })
  }
})

test('[SG5] reports an entry row whose version is not in the log as corruption, without an endless search', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  await a.sync({ changes: [{ key: 'k', value: 'secret', timestamp: T }] })
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, state) => {
    state.storage.sql.exec(`UPDATE segment SET body = x''`)
  })
  const b = await device(await mint({ space }))
  const reply = await b.sync({ changes: [{ key: 'k', value: 'other', timestamp: T + 1 }] })
  expect(reply).toMatchObject({ status: 500, body: { code: 'internal' } })
  expect((await b.get('/api/history?key=k')).status).toBe(500)
})
