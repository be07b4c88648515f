import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { type Answers, readAnswers } from '../../../infra/operate/service/metrics.ts'
import { compareErrors, type WatchOptions, watch } from '../../../infra/operate/watch.ts'

/** Watches for five minutes of a clock that only sleeping moves. `results` are those of the checks, in order. */
async function watched(results: readonly boolean[], options: Partial<WatchOptions> = {}) {
  let now = 0
  let checks = 0
  const reason = await watch({
    version: 'new',
    minutes: 5,
    check: async () => results[checks++] ?? true,
    readAnswers: undefined,
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
      },
    },
    ...options,
  })
  return { reason, checks, minutes: now / 60_000 }
}

test('checks a version once a minute, and finds no reason to go back', async () => {
  expect(await watched([])).toEqual({ reason: undefined, checks: 5, minutes: 5 })
})

test('goes back when a check fails twice in a row, and not when it fails once', async () => {
  expect(await watched([true, false, true])).toEqual({ reason: undefined, checks: 6, minutes: 5 })
  expect(await watched([true, false, false])).toEqual({
    reason: 'a check failed twice in a row, see above',
    checks: 3,
    minutes: 2,
  })
})

test('goes back with the figures when a version has more errors than the ones before', async () => {
  const answers = [
    { version: 'new', isSince: true, requests: 200, errors: 12 },
    { version: 'old', isSince: false, requests: 9000, errors: 9 },
  ]
  const { reason, minutes } = await watched([], { readAnswers: async () => answers })
  expect(reason).toBe('12 of 200 requests had a status of 500 or more (6.0 %, before 0.1 %)')
  expect(minutes).toBe(1)
})

test.each<[string, readonly Answers[]]>([
  ['no requests yet', []],
  ['four errors', [{ version: 'new', isSince: true, requests: 4, errors: 4 }]],
  ['one error in a hundred', [{ version: 'new', isSince: true, requests: 1000, errors: 10 }]],
  [
    'twice the errors of before',
    [
      { version: 'new', isSince: true, requests: 100, errors: 10 },
      { version: 'older', isSince: true, requests: 50, errors: 0 },
      { version: 'old', isSince: false, requests: 50, errors: 5 },
    ],
  ],
  [
    'errors of the same version before this deployment',
    [
      { version: 'new', isSince: false, requests: 100, errors: 90 },
      { version: 'new', isSince: true, requests: 100, errors: 10 },
    ],
  ],
])('finds no reason in %s', (_what, answers) => {
  expect(compareErrors(answers, 'new')).toBeUndefined()
})

test('continues without the figures when the token may not read them', async () => {
  const readAnswers = () => Promise.reject(new Error('HTTP 403'))
  expect(await watched([], { readAnswers })).toMatchObject({ reason: undefined, checks: 5 })
})

test('reads the requests and errors of each version from the dataset', async () => {
  const queries: string[] = []
  const server = createServer(async (request, response) => {
    queries.push(`${request.method} ${request.url} ${request.headers.authorization} ${await text(request)}`)
    response.end(
      JSON.stringify({
        meta: [],
        rows: 1,
        data: [{ version: 'v', isSince: 1, requests: '1200', errors: 3 }],
      }),
    )
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const source = { accountId: 'a', token: 't', dataset: 'chronicle_sync_dev' }
  expect(await readAnswers({ ...source, baseUrl: `http://127.0.0.1:${port}/client/v4/` }, 5000)).toEqual([
    { version: 'v', isSince: true, requests: 1200, errors: 3 },
  ])
  expect(queries[0]).toMatch(
    /^POST \/client\/v4\/accounts\/a\/analytics_engine\/sql Bearer t SELECT blob2 AS version, if\(timestamp >= toDateTime\(5\), 1, 0\) AS isSince,[\s\S]* FROM chronicle_sync_dev WHERE/,
  )
})
