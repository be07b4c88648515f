import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { MAX_PENDING_ROWS } from '../../../worker/src/core/values/limits.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { type Device, device, mint, send } from '../../support/worker/client.ts'
import { sessionOf } from '../../support/worker/session.ts'

const T = Date.now() - 60_000

const session = sessionOf({ client: 'device-1', scopes: ['sync:read', 'sync:write'] })

interface Cost {
  readonly statements: number
  readonly rowsWritten: number
}

/** Measures the cost of each request by the counters of the object's own database. */
function costs(space: string, requests: readonly object[]): Promise<readonly Cost[]> {
  return runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
    const counting = {
      exec(query: string, ...bindings: SqlStorageValue[]) {
        const cursor = state.storage.sql.exec(query, ...bindings)
        cursors.push(cursor)
        return cursor
      },
      get databaseSize() {
        return state.storage.sql.databaseSize
      },
    }
    const transactionSync = <R>(work: () => R): R => state.storage.transactionSync(work)
    const watched = {
      id: state.id,
      storage: {
        sql: counting,
        transactionSync,
        getAlarm: async () => null,
        setAlarm: async () => {},
        sync: async () => {},
      },
    } as unknown as DurableObjectState
    const opened = openSpace(watched, env)
    // Paid once at each start of the object.
    await opened.keys()
    const found: Cost[] = []
    for (const request of requests) {
      cursors.length = 0
      const result = await sync(opened, session, { text: JSON.stringify(request), now: Date.now() })
      expect(result.ok).toBe(true)
      found.push({
        statements: cursors.length,
        rowsWritten: cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0),
      })
    }
    return found
  })
}

function batches(size: number, rounds: number, keys = Number.POSITIVE_INFINITY): object[] {
  return Array.from({ length: rounds }, (_, round) => ({
    batch: round + 1,
    changes: Array.from({ length: size }, (_, index) => {
      const change = round * size + index
      const key = `k/${change % keys}`
      return { key, value: { title: change, body: 'x'.repeat(200) }, timestamp: T + change }
    }),
  }))
}

function sum(found: readonly Cost[]): number {
  return found.reduce((total, { rowsWritten }) => total + rowsWritten, 0)
}

/** The statements and rows of each kind of request: how many requests cost so much. */
function tally(found: readonly Cost[]): Readonly<Record<string, number>> {
  const kinds = Map.groupBy(
    found,
    ({ statements, rowsWritten }) => `${statements} statements, ${rowsWritten} rows`,
  )
  return Object.fromEntries(Array.from(kinds, ([kind, { length }]) => [kind, length]))
}

/** Six log rows of 44 batches each, and 36 batches in a seventh. */
const SINGLE = 300

test('[SG1] writes one row a batch of one, and the entry and the client once a log row of 16 KiB, for one hot key', async () => {
  const found = await costs(crypto.randomUUID(), batches(1, SINGLE, 1))
  expect(sum(found)).toBe(SINGLE + 6 * 2)
  // A new log row opens the value that is replaced, between two readings of the client.
  expect(tally(found)).toEqual({
    '3 statements, 1 rows': 1,
    '4 statements, 1 rows': 6,
    '2 statements, 1 rows': SINGLE - 13,
    '4 statements, 3 rows': 6,
  })
})

test('[SG1] writes one row a batch of one, and its entry with those of the same log row, for random keys', async () => {
  const found = await costs(crypto.randomUUID(), batches(1, SINGLE))
  expect(sum(found)).toBe(SINGLE + 6 * (44 + 1))
  expect(tally(found)).toEqual({
    '3 statements, 1 rows': 7,
    '2 statements, 1 rows': SINGLE - 13,
    '4 statements, 46 rows': 6,
  })
})

test('[SG1] writes one row a change and two a batch of 100, in five statements', async () => {
  const found = await costs(crypto.randomUUID(), batches(100, 30))
  expect(tally(found)).toEqual({ '5 statements, 102 rows': 30 })
})

test('[SG1] writes one row a change and three a batch of 500, which fills two log rows, in six statements', async () => {
  const found = await costs(crypto.randomUUID(), batches(500, 6))
  expect(tally(found)).toEqual({ '6 statements, 503 rows': 6 })
})

test('[SG1] writes up to 64 rows of entries and clients into the row of the log, and more into their tables', async () => {
  for (const [size, rowsWritten] of [
    [MAX_PENDING_ROWS - 2, 1],
    [MAX_PENDING_ROWS - 1, 1],
    [MAX_PENDING_ROWS, 1 + MAX_PENDING_ROWS + 1],
  ] as const) {
    const changes = Array.from({ length: size }, (_, n) => ({ key: `k/${n}`, value: n, timestamp: T }))
    expect(await costs(crypto.randomUUID(), [{ batch: 1, changes }]), `${size}`).toMatchObject([
      { rowsWritten },
    ])
  }
})

test('[SG2] writes as many rows for a change in a large space as in a small one', async () => {
  const space = crypto.randomUUID()
  const rewrite = (round: number) => ({
    changes: [{ key: 'k/0', value: round, timestamp: T + round }],
  })
  // The first write also records the subject of the client.
  await costs(space, [rewrite(0)])
  const [before] = await costs(space, [rewrite(1)])
  await costs(space, batches(500, 10))
  const [after] = await costs(space, [rewrite(2)])
  expect(after?.rowsWritten).toBe(before?.rowsWritten)
})

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
