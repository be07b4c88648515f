import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { settlePending } from '../../../worker/src/objects/space/draft.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { migrate } from '../../../worker/src/objects/store/tables.ts'
import { counting } from '../../support/unkind/calls.ts'
import { within } from '../../support/worker/ageing.ts'
import { device, mint } from '../../support/worker/client.ts'

test('[SG8] applies the missing steps to a space of an older version, and keeps its rows', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  for (const n of [1, 2, 3]) await a.sync({ batch: n, changes: [{ key: 'k', value: n, timestamp: n }] })
  await within(space, async (opened) => settlePending(opened))
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    storage.sql.exec('DROP INDEX conflict_other; DROP INDEX conflict_age')
    storage.sql.exec(`ALTER TABLE client DROP COLUMN generation; ALTER TABLE segment DROP COLUMN superseded;
      ALTER TABLE segment DROP COLUMN pending;
      ALTER TABLE head DROP COLUMN merged; ALTER TABLE conflict DROP COLUMN at;
      ALTER TABLE conflict DROP COLUMN resolved; ALTER TABLE revoked DROP COLUMN issued_by;
      ALTER TABLE revoked DROP COLUMN since; DROP TABLE archive; DROP TABLE device`)
    storage.sql.exec(`INSERT INTO revoked VALUES ('a-token', 1)`)
    storage.sql.exec(`UPDATE meta SET value = 1 WHERE name = 'step'`)
    migrate(storage, 'epoch')
    expect(storage.sql.exec('SELECT id, batch, generation FROM client').toArray()).toEqual([
      { id: a.id, batch: 3, generation: 1 },
    ])
    expect(storage.sql.exec('SELECT last, superseded FROM segment').toArray()).toEqual([
      { last: 3, superseded: 2 },
    ])
  })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const old = { id: 'a-session', token: 'a-token', issuedAt: Date.now() }
  expect(await env.CHRONICLE.getByName(space).admit(old)).toMatchObject({ fault: { code: 'revoked' } })
  const { body } = await a.sync({ batch: 3, changes: [{ key: 'k', value: 3, timestamp: 3 }] })
  expect(body).toMatchObject({ success: true, replayed: true })
})

test('[SG8] leaves the tables of a newer version alone', async () => {
  const stub = env.CHRONICLE.getByName(crypto.randomUUID())
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(`UPDATE meta SET value = 99 WHERE name = 'step'`)
    expect(() => migrate(storage, 'epoch')).toThrow(
      /^the space has layout 99, and this version knows \d+: deploy the newer version again$/,
    )
    expect(storage.sql.exec(`SELECT value FROM meta WHERE name = 'step'`).one().value).toBe(99)
  })
})

test('[SG11] writes nothing when a space starts again: the first reply waits for no commit', async () => {
  const space = crypto.randomUUID()
  await (await device(await mint({ space }))).sync({ changes: [{ key: 'k', value: 1, timestamp: 1 }] })
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) => {
    const statements: string[] = []
    using _watched = counting(ctx.storage.sql, 'exec', (query) => statements.push(String(query).trim()))
    migrate(ctx.storage, 'epoch')
    openSpace(ctx, env)
    expect(statements.length).toBeGreaterThan(0)
    expect(statements.filter((query) => !query.startsWith('SELECT'))).toEqual([])
  })
})
