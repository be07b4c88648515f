import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'
import { meterUsage, type Usage, type UsageMeter } from '../../support/usage.ts'
import { pause } from '../../support/worker/follower.ts'
import { type BusySpace, busySpace, HOT_KEY, pushOn, send } from './busy-space.ts'

/**
 * The exact work of each hot request, in a space that is in use. The columns are those of `Usage`. A number that falls is
 * written down too. Change a number in the commit that moves it, and give the reason in its body.
 */
const WORK = `
calls callBytes statements rowsRead rowsWritten alarmsSet kvReads kvWrites cryptoCalls logLines dataPoints
    1       928          1        1           1         0       0        0           2        1          1 one change of a hot key
    2      1836          2        3           1         0       0        0           4        2          2 two devices at once
    1     38256          4      204         104         0       0        0           2        1          1 100 changes of new keys
    1     39456          4      104         102         0       0        0           2        1          1 100 changes of known keys
    1       927          0        0           0         0       0        0           2        1          1 a replay
    1      1317          2        2           1         0       0        0           2        1          1 a push with a cursor
    1       936          0        0           0         0       0        0           0        1          1 a pull by a push without changes
    0         0          1        1           1         0       0        0           2        1          1 a push on a socket
    0         0          1        1           1         0       0        0           2        1          1 a push that three sockets follow
    1    161314          0        0           0         0       0        0           0        1          1 a page of 500 entries
    1    161314         12     1012           0         0       0        0          13        1          1 a page of 500 entries after a wake
    1       419          0        0           0         0       0        0           0        1          1 an empty page
    1       762          1        1           0         0       0        0           0        1          1 a status
    1       287          0        0           0         0       1        0           2        1          1 a new session
    1       762          8       23           0         0       0        0           0        1          1 a status that wakes the object
    1       928          9       23           1         0       0        0           6        1          1 one change that wakes the object
    1       755          1        1           0         0       2        0           0        1          1 a status after an idle minute
`

/** Prepares a request, and returns the function that makes it. */
type Prepare = (space: BusySpace) => Promise<() => Promise<unknown>>

const REQUESTS: Readonly<Record<string, Prepare>> = {
  'one change of a hot key': async ({ a }) => {
    const batch = a.batch([HOT_KEY])
    return () => a.push(batch)
  },

  'two devices at once': async ({ a, b }) => {
    const [one, other] = [a.batch(['notes/2']), b.batch(['notes/3'])]
    return () => Promise.all([a.push(one), b.push(other)])
  },

  '100 changes of new keys': async ({ a }) => {
    const batch = a.batch(keys(100))
    return () => a.push(batch)
  },

  '100 changes of known keys': async ({ a, b }) => {
    await b.push(b.batch(keys(100)))
    const batch = a.batch(keys(100))
    return () => a.push(batch)
  },

  'a replay': async ({ a }) => {
    const batch = a.batch([HOT_KEY])
    await a.push(batch)
    return () => a.push(batch)
  },

  // Pulls one change of another device.
  'a push with a cursor': async ({ a, b }) => {
    const { cursor } = (await a.get('/api/changes')).body
    await b.push(b.batch([HOT_KEY]))
    const batch = a.batch(['notes/2'], { cursor })
    return () => a.push(batch)
  },

  // The row of the client is in its table, and nobody needs it.
  'a pull by a push without changes': async ({ a, b }) => {
    const { cursor } = (await a.get('/api/changes')).body
    await b.push(b.batch(keys(100)))
    return () => a.push({ cursor, limit: 1, changes: [] })
  },

  // The device gets its reply, and then its own change in a frame.
  'a push on a socket': async ({ a }) => {
    const socket = await a.follow()
    await pushOn(socket, a)
    return () => pushOn(socket, a)
  },

  'a push that three sockets follow': async ({ a, b }) => {
    const socket = await a.follow()
    const others = [await b.follow(), await b.follow()]
    await pushOn(socket, a, others)
    return () => pushOn(socket, a, others)
  },

  'a page of 500 entries': async ({ a }) => {
    for (const from of [0, 100, 200, 300, 400]) await a.push(a.batch(keys(500).slice(from, from + 100)))
    return () => a.get('/api/changes?limit=500')
  },

  'a page of 500 entries after a wake': async ({ a, stub }) => {
    for (const from of [0, 100, 200, 300, 400]) await a.push(a.batch(keys(500).slice(from, from + 100)))
    await evictDurableObject(stub)
    await a.get('/api/status')
    return () => a.get('/api/changes?limit=500')
  },

  'an empty page': async ({ a }) => {
    const { cursor } = (await a.get('/api/changes')).body
    return () => a.get(`/api/changes?cursor=${cursor}`)
  },

  'a status':
    async ({ a }) =>
    () =>
      a.get('/api/status'),

  'a new session': async ({ token }) => {
    const body = JSON.stringify({ token, clientId: 'a' })
    const headers = { 'content-type': 'application/json' }
    return () => send(meter.over(env), '/api/auth', { method: 'POST', headers, body })
  },

  'a status that wakes the object': async ({ a, stub }) => {
    await evictDurableObject(stub)
    return () => a.get('/api/status')
  },

  'one change that wakes the object': async ({ a, stub }) => {
    await evictDurableObject(stub)
    const batch = a.batch([HOT_KEY])
    return () => a.push(batch)
  },

  // The isolate and the object no longer trust the configuration that they have read.
  'a status after an idle minute': async ({ a }) => {
    vi.setSystemTime(Date.now() + 60_000)
    return () => a.get('/api/status')
  },
}

function keys(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `notes/${1000 + index}`)
}

let meter: UsageMeter
let hour = Date.now()

beforeEach(() => {
  meter = meterUsage(env)
  // The time stands still, so that nothing is re-read on a slow machine. Each test has an hour of its own.
  hour += 3_600_000
  vi.useFakeTimers({ toFake: ['Date'], now: hour })
})

afterEach(() => {
  vi.useRealTimers()
  meter[Symbol.dispose]()
})

for (const [name, prepare] of Object.entries(REQUESTS)) {
  test(`takes exactly the work that is written down for ${name}`, async () => {
    const request = await prepare(await busySpace(meter))
    // The space reports what has happened so far.
    await pause(2 * REPORT_DELAY_MS)
    meter.take()
    await request()
    expect(differences(meter.take(), writtenFor(name))).toEqual([])
  })
}

test('writes down no work of a request that no test makes', () => {
  const [, ...rows] = WORK.trim().split('\n')
  expect(rows).toHaveLength(Object.keys(REQUESTS).length)
})

function writtenFor(name: string): Readonly<Record<string, number>> {
  const [header = '', ...rows] = WORK.trim().split('\n')
  const row = rows.find((line) => line.endsWith(` ${name}`)) ?? ''
  const counts = row.trim().split(/\s+/).map(Number)
  return Object.fromEntries(header.split(' ').map((column, index) => [column, counts[index] ?? Number.NaN]))
}

function differences(found: Usage, written: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(found)
    .filter(([column, count]) => written[column] !== count)
    .map(([column, count]) => {
      return `${column} is ${count}, not ${written[column]}: if that is meant, change WORK and give the reason in the commit`
    })
}
