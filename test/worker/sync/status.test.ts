import { expect, test } from 'vitest'
import { device, mint } from '../../support/worker/client.ts'

const T = Date.now() - 60_000

function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

test('[ST1] counts the changes after a cursor and the entries of the space', async () => {
  const a = await device()
  expect((await a.get('/api/status')).body).toMatchObject({
    status: 'ok',
    lastSync: null,
    pending: 0,
    entries: 0,
  })
  const { cursor } = (await a.sync({ changes: puts(['k/1', 'k/2']), cursor: null })).body
  expect((await a.get(`/api/status?cursor=${cursor}`)).body).toMatchObject({ pending: 0, entries: 2 })
  await a.sync({ changes: [{ key: 'k/1', deleted: true, timestamp: T + 1 }] })
  const { body } = await a.get(`/api/status?cursor=${cursor}`)
  expect(body).toMatchObject({ pending: 1, entries: 1, openConflicts: 0, head: expect.any(String) })
  expect(body.limits).toMatchObject({ keyBytes: 512, valueBytes: 262144, changes: 500, bodyBytes: 1048576 })
})

test('[ST1] reports nothing pending to a filtered reader that has read all, and everything for another cursor', async () => {
  const a = await device()
  await a.sync({ changes: puts(['k/1', 'k/2', 'z/1']) })
  const { cursor } = (await a.get('/api/changes?collections=k')).body
  const pending = async (query: string) => (await a.get(`/api/status?${query}`)).body.pending
  expect(await pending(`cursor=${cursor}&collections=k`)).toBe(0)
  expect(await pending(`cursor=${cursor}`)).toBe(3)
  expect(await pending(`cursor=${cursor}&collections=z`)).toBe(3)
  expect(await pending('cursor=rubbish')).toBe(3)
  expect((await a.get('/api/status?collections=a/b')).status).toBe(422)
})

test("[ST1] counts pending changes under the token's own filter, and refuses any other", async () => {
  const subject = crypto.randomUUID()
  const all = await device(await mint({ subject }))
  await all.sync({ changes: puts(['k/1', 'z/1']) })
  const some = await device(await mint({ subject, collections: ['k'] }))
  const { cursor } = (await some.get('/api/changes')).body
  expect((await some.get(`/api/status?cursor=${cursor}`)).body.pending).toBe(0)
  expect((await all.get(`/api/status?cursor=${cursor}`)).body.pending).toBe(2)
  expect((await some.get('/api/status?collections=z')).body).toMatchObject({
    status: 403,
    code: 'forbidden-collection',
  })
})

test('[EN1] finds an entry by its key, slashes and dots included', async () => {
  const a = await device()
  await a.sync({ changes: puts(['deep/er/path.json', 'ключ/\u{1f600}']) })
  for (const key of ['deep/er/path.json', 'ключ/\u{1f600}']) {
    const { body } = await a.get(`/api/entries?key=${encodeURIComponent(key)}`)
    expect(body).toMatchObject({ key, value: 'x', timestamp: T, by: a.id })
  }
  expect((await a.get('/api/entries?key=none')).body).toMatchObject({ status: 404, code: 'not-found' })
})
