import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { migrate } from '../../worker/src/objects/tables.ts'
import { device, mint } from './client.ts'

test('[SG8] a space of an older version gets the steps that it lacks, and keeps its rows', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  await a.sync({ batch: 1, changes: [{ key: 'k', value: 1, timestamp: 1 }] })
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    storage.sql.exec('ALTER TABLE client DROP COLUMN generation; ALTER TABLE head DROP COLUMN merged')
    for (const column of ['at', 'paths', 'resolved']) {
      storage.sql.exec(`ALTER TABLE conflict DROP COLUMN ${column}`)
    }
    storage.sql.exec(`UPDATE meta SET value = 1 WHERE name = 'step'`)
    migrate(storage, 'epoch')
    expect(storage.sql.exec('SELECT id, batch, generation FROM client').toArray()).toEqual([
      { id: a.id, batch: 1, generation: 1 },
    ])
  })
  const { body } = await a.sync({ batch: 1, changes: [{ key: 'k', value: 1, timestamp: 1 }] })
  expect(body).toMatchObject({ success: true, replayed: true })
})

test('[SG8] tables of a newer version are left alone', async () => {
  const stub = env.CHRONICLE.getByName(crypto.randomUUID())
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(`UPDATE meta SET value = 99 WHERE name = 'step'`)
    expect(() => migrate(storage, 'epoch')).toThrow(
      /^the space has tables of step 99, this version knows \d+: deploy the newer one again$/,
    )
    expect(storage.sql.exec(`SELECT value FROM meta WHERE name = 'step'`).one().value).toBe(99)
  })
})
