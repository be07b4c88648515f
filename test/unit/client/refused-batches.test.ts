import { describe, expect, test } from 'vitest'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice, stateOf } from '../../support/client/hand-device.ts'
import { type Arrived, isPush, problem } from '../../support/client/plain-service.ts'

describe('a refused batch', () => {
  test('is numbered as the service expects', async () => {
    const { db, service } = await handDevice()
    const edit = db.collection('notes').put('a', {})
    const batches: unknown[] = []
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      batches.push(request.body['batch'])
      return batches.length === 1 ? problem(409, 'batch-gap', { expected: 4 }) : problem(503, 'busy')
    }
    await edit
    await settle()
    expect(batches).toEqual([1, 4])
  })

  test.each(['batch-too-old', 'batch-mismatch'])('is sent under another client id after %s', async (code) => {
    const { db, service, store } = await handDevice()
    const before = (await store.read({})).state?.clientId
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      service.answer = () => undefined
      return problem(409, code, { expected: 9 })
    }
    const edit = db.collection('notes').put('a', { n: 1 })
    expect(await edit.synced).toMatchObject({ status: 'applied' })
    const { state } = await store.read({})
    expect(state?.clientId).not.toBe(before)
    expect(state).toMatchObject({ batch: 1, outgoing: null })
    const ids = service.requests
      .filter(({ path }) => path === '/api/auth')
      .map(({ body }) => body['clientId'])
    expect(ids).toEqual([before, state?.clientId])
  })

  test('is dropped if it took effect long ago, and what became of it is read', async () => {
    const { db, service } = await handDevice()
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      service.answer = () => undefined
      service.write('notes/a', { n: 'stored' })
      return problem(409, 'batch-forgotten', { expected: 2 })
    }
    const edit = db.collection('notes').put('a', { n: 'sent' })
    expect(await edit.synced).toEqual({ status: 'answered' })
    await db.sync()
    expect(await contentOf(db)).toEqual({ a: { n: 'stored' } })
  })
})

describe('a batch that is refused as a whole', () => {
  test('is halved until the edit at fault is alone, which is set aside, and the rest goes through', async () => {
    const { db, service } = await handDevice()
    service.answer = ({ body }) => {
      const changes = (body['changes'] ?? []) as { key: string }[]
      return changes.some(({ key }) => key === 'notes/6') ? problem(413, 'body-too-large') : undefined
    }
    const edits = Array.from({ length: 10 }, (_, index) =>
      db.collection('notes').put(String(index), { index }),
    )
    const results = await Promise.allSettled(edits.map(({ synced }) => synced))
    expect(results.map(({ status }) => status).indexOf('rejected')).toBe(6)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
    expect(Object.keys(service.values())).toHaveLength(9)
    await settle()
    const [trouble] = db.troubles.getSnapshot()
    expect(trouble).toMatchObject({
      key: 'notes/6',
      status: 'rejected',
      code: 'body-too-large',
      mine: { index: 6 },
    })
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 1 })
    expect(await db.unsynced()).toMatchObject([{ key: 'notes/6', status: 'rejected', value: { index: 6 } }])
  })

  test('sets aside any number of edits at fault without a long wait', async () => {
    const { db, service, hand } = await handDevice()
    service.answer = (request) => (isPush(request) ? problem(422, 'invalid-request') : undefined)
    for (let index = 0; index < 40; index += 1) void db.collection('notes').put(String(index), {})
    await settle()
    await hand.pass(5_000)
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 40 })
  })
})

describe('in a full space', () => {
  const full = (request: Arrived) => {
    const changes = (request.body['changes'] ?? []) as { deleted?: true }[]
    return changes.some(({ deleted }) => !deleted) ? problem(507, 'quota-exceeded') : undefined
  }

  test('sends deletions first, waits with the rest, and continues when there is room', async () => {
    const { db, service, hand } = await handDevice()
    const notes = db.collection('notes')
    service.write('notes/old', {})
    await db.sync()
    service.answer = full
    const put = notes.put('new', { n: 1 })
    const deletion = notes.delete('old')
    expect(await deletion.synced).toMatchObject({ status: 'applied' })
    expect(await stateOf(put.synced)).toBe('pending')
    expect(db.status.getSnapshot()).toMatchObject({
      pending: 1,
      obstacle: { code: 'quota-exceeded' },
      online: true,
    })
    await hand.pass(60_000)
    service.answer = () => undefined
    await hand.pass(61_000)
    expect(await put.synced).toMatchObject({ status: 'applied' })
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, obstacle: null })
  })

  test('still reads what others write, and does not ask more often for that', async () => {
    const { db, service, hand } = await handDevice()
    service.answer = full
    void db.collection('notes').put('new', { n: 1 })
    await hand.pass(10_000)
    service.write('notes/theirs', { n: 2 })
    const before = service.requests.length
    await hand.pass(600_000)
    expect(await contentOf(db)).toEqual({ new: { n: 1 }, theirs: { n: 2 } })
    expect(service.requests.length - before).toBeLessThan(45)
  })

  test('a decision of a conflict does not hold up deletions', async () => {
    const { db, service } = await handDevice()
    service.write('notes/old', {})
    service.decide = ({ key }) =>
      key === 'notes/asked'
        ? {
            result: { key, status: 'conflict', version: 'one.1', conflict: 1 },
            conflict: { id: 1, key, winner: { version: 'one.1', value: { n: 0 } } } as never,
          }
        : undefined
    await db.collection('notes').put('asked', { n: 1 }).synced
    service.answer = (request) =>
      request.path.endsWith('/resolve') ? problem(507, 'quota-exceeded') : full(request)
    await db.troubles.getSnapshot()[0]?.resolve('mine')
    expect(await db.collection('notes').delete('old').synced).toMatchObject({ status: 'applied' })
  })
})
