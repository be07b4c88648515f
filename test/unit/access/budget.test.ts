import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plusOne, type Spent, spentAt, waitSeconds } from '../../../worker/src/core/access/budget.ts'
import type { Fault } from '../../../worker/src/core/fault.ts'
import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { MAX_BUDGETS, MAX_REQUESTS_PER_MINUTE } from '../../../worker/src/core/values/access-limits.ts'

import type { Result } from '../../../worker/src/core/values/result.ts'
import { MAX_SOCKETS, MAX_UNSEEN_BYTES } from '../../../worker/src/core/values/socket-limits.ts'
import { type Accounts, budgets, remember } from '../../../worker/src/objects/space/budgets.ts'

const NOW = 1_795_347_000_000

/** Sends requests at some times, ms. Returns those that are admitted, and what is spent then. */
function sendAt(times: readonly number[], perMinute: number, before?: Spent) {
  const letIn: number[] = []
  let spent = before
  for (const now of times) {
    spent = spentAt(spent, perMinute, now)
    if (waitSeconds(spent, perMinute) > 0) continue
    spent = plusOne(spent)
    letIn.push(now)
  }
  return { letIn, spent }
}

function waitAt(now: number, perMinute: number, spent: Spent | undefined): number {
  return waitSeconds(spentAt(spent, perMinute, now), perMinute)
}

const rates = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.constantFrom(59, 60, 61, 600, 601, 3000, 11_000, 12_000, MAX_REQUESTS_PER_MINUTE),
)
const steps = fc.array(fc.oneof(fc.nat(30), fc.nat(3000), fc.nat(70_000)), { maxLength: 200 })

function timesOf(steps: readonly number[]): readonly number[] {
  let now = NOW
  return steps.map((step) => {
    now += step
    return now
  })
}

test('[RL2] lets by default no credential use up its space, and no client its credential', () => {
  const { client, credential, space } = DEFAULT_CONFIG.requestsPerMinute
  expect(2 * credential).toBeLessThanOrEqual(space)
  expect(2 * client).toBeLessThanOrEqual(credential)
  // Half of the 200 a second that the vendor gives an object with storage work.
  expect(space / 60).toBeLessThanOrEqual(100)
})

test('[LV14] bounds what clients of all sockets that do not read hold, to an eighth of the memory of an isolate', () => {
  expect(MAX_SOCKETS * MAX_UNSEEN_BYTES).toBeLessThanOrEqual((128 * 1024 ** 2) / 8)
})

test.each([1, 2, 7, 59, 600, 3000, 11_000, 12_000])(
  '[RL2] admits exactly %i requests at once under a budget of that many a minute',
  (perMinute) => {
    for (const [sent, letIn] of [
      [perMinute - 1, perMinute - 1],
      [perMinute, perMinute],
      [perMinute + 1, perMinute],
    ]) {
      expect(sendAt(Array(sent).fill(NOW), perMinute).letIn).toHaveLength(letIn as number)
    }
  },
)

test('[RL2] admits in any period no more than the budget and what is refilled meanwhile', () => {
  fc.assert(
    fc.property(rates, steps, (perMinute, steps) => {
      const { letIn, spent } = sendAt(timesOf(steps), perMinute)
      for (const [first, from] of letIn.entries()) {
        for (const [more, to] of letIn.slice(first).entries()) {
          expect((more + 1) * 60_000).toBeLessThanOrEqual((60_000 + to - from) * perMinute)
        }
      }
      expect(Number.isSafeInteger(spent?.level ?? 0)).toBe(true)
    }),
    { seed: 21 },
  )
})

test('[RL2] refills an exhausted budget within a minute', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), (perMinute) => {
      const { spent } = sendAt(Array(perMinute).fill(NOW), perMinute)
      expect(sendAt(Array(perMinute + 1).fill(NOW + 60_000), perMinute, spent).letIn).toHaveLength(perMinute)
    }),
    { seed: 22 },
  )
})

test('[RL3] admits a client that waits as long as it is told, and refuses one that comes a second earlier', () => {
  fc.assert(
    fc.property(rates, steps, (perMinute, steps) => {
      const times = timesOf(steps)
      const full = Array(Math.min(perMinute, 700)).fill(NOW)
      const { spent } = sendAt([...full, ...times], perMinute)
      const now = times.at(-1) ?? NOW
      const wait = waitAt(now, perMinute, spent)
      expect(waitAt(now + wait * 1000, perMinute, spent)).toBe(0)
      if (wait > 0) expect(waitAt(now + (wait - 1) * 1000, perMinute, spent)).toBe(1)
    }),
    { seed: 23 },
  )
})

test.each([
  [1, 60],
  [5, 12],
  [7, 9],
  [59, 2],
  [60, 1],
  [600, 1],
])(
  '[RL3] with %i requests a minute, an exhausted budget makes a client wait %i seconds',
  (perMinute, wait) => {
    const { spent } = sendAt(Array(perMinute).fill(NOW), perMinute)
    expect(waitAt(NOW, perMinute, spent)).toBe(wait)
  },
)

test('[RL2] neither refills a budget nor locks a client out if the clock goes back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 1, max: NOW - 60_000 }),
      (perMinute, back) => {
        const { spent } = sendAt(Array(perMinute).fill(NOW), perMinute)
        const wait = waitAt(NOW, perMinute, spent)
        const { letIn } = sendAt([NOW - back, NOW - back + wait * 1000], perMinute, spent)
        expect(letIn).toEqual([NOW - back + wait * 1000])
      },
    ),
    { seed: 24 },
  )
})

test('[RL6] makes no client wait for more than a minute after a lower rate, and admits at once after a higher one', () => {
  const { spent } = sendAt(Array(600).fill(NOW), 600)
  expect(waitAt(NOW, 5, spent)).toBe(12)
  expect(waitAt(NOW, 1, spent)).toBe(60)
  expect(waitAt(NOW, 601, spent)).toBe(0)
})

const RATES = { client: 2, credential: 3, space: 5 }

function codeOf(result: Result<true, Fault>): string {
  if (result.ok) return 'in'
  return result.fault.code === 'rate-limited' ? result.fault.policy : result.fault.code
}

test('[RL2] charges a refused request to no budget', () => {
  const space = budgets()
  const send = (token: string, client: string) => codeOf(space.spend({ token, client }, RATES, NOW))
  expect(['a', 'a', 'a', 'a', 'a', 'a'].map((client) => send('t', client))).toEqual([
    'in',
    'in',
    ...Array(4).fill('client'),
  ])
  expect(['b', 'b', 'c', 'a'].map((client) => send('t', client))).toEqual([
    'in',
    'credential',
    'credential',
    'client',
  ])
  expect(['a', 'b', 'b'].map((client) => send('u', client))).toEqual(['in', 'in', 'space'])
})

test('[RL2] counts a client by its credential, so that no other credential exhausts its budget', () => {
  const space = budgets()
  const send = (token: string) => codeOf(space.spend({ token, client: 'phone' }, RATES, NOW))
  expect([send('mallory'), send('mallory'), send('mallory')]).toEqual(['in', 'in', 'client'])
  expect([send('ann'), send('ann'), send('ann')]).toEqual(['in', 'in', 'client'])
})

test('[RL3] reports the longest wait if several budgets are exhausted', () => {
  const space = budgets()
  const rates = { client: 2, credential: 100, space: 1 }
  space.spend({ token: 't', client: 'a' }, { ...rates, space: 2 }, NOW)
  space.spend({ token: 't', client: 'a' }, { ...rates, space: 2 }, NOW)
  expect(space.spend({ token: 't', client: 'a' }, rates, NOW)).toEqual({
    ok: false,
    fault: { code: 'rate-limited', policy: 'space', limit: 1, retryAfterSeconds: 60 },
  })
})

test('[RL3] reports the narrowest budget if several take as long', () => {
  for (const [rates, expected] of [
    [{ client: 1, credential: 1, space: 1 }, 'client'],
    [{ client: 2, credential: 1, space: 1 }, 'credential'],
    [{ client: 2, credential: 2, space: 1 }, 'space'],
  ] as const) {
    const space = budgets()
    const send = () => codeOf(space.spend({ token: 't', client: 'a' }, rates, NOW))
    expect([send(), send()]).toEqual(['in', expected])
  }
})

const LAVISH = { client: 1, credential: MAX_REQUESTS_PER_MINUTE, space: MAX_REQUESTS_PER_MINUTE }

test('[RL7] remembers the latest clients, up to the limit', () => {
  for (const [others, expected] of [
    [MAX_BUDGETS - 2, 'client'],
    [MAX_BUDGETS - 1, 'client'],
    [MAX_BUDGETS, 'in'],
  ] as const) {
    const space = budgets()
    const send = (client: string) => codeOf(space.spend({ token: 't', client }, LAVISH, NOW))
    send('first')
    for (let count = 0; count < others; count++) expect(send(`${count}`)).toBe('in')
    expect(send('first'), `${others}`).toBe(expected)
    expect(send(`${others - 1}`)).toBe('client')
  }
})

test('[RL7] forgets a client after a minute, and one that owes nothing', () => {
  const accounts: Accounts = new Map()
  const namesAfter = (name: string, level: number, at: number) => {
    remember(accounts, name, { level, at })
    return [...accounts.keys()].join('')
  }
  expect(namesAfter('a', 1, 0)).toBe('a')
  expect(namesAfter('b', 1, 1)).toBe('ab')
  expect(namesAfter('a', 1, 2)).toBe('ba')
  expect(namesAfter('c', 1, 60_000)).toBe('bac')
  expect(namesAfter('c', 1, 60_001)).toBe('ac')
  expect(namesAfter('d', 0, 60_001)).toBe('ac')
  expect(namesAfter('a', 0, 60_001)).toBe('c')
})

test('[RL7] forgets no client for one that is refused', () => {
  const space = budgets()
  const send = (client: string, rates = LAVISH) => codeOf(space.spend({ token: 't', client }, rates, NOW))
  send('first')
  const strict = { ...LAVISH, credential: 1 }
  for (let count = 0; count < 2 * MAX_BUDGETS; count++) expect(send(`${count}`, strict)).toBe('credential')
  expect(send('first')).toBe('client')
})

test('[RL2] locks no client out of its space if the clock goes back', () => {
  const space = budgets()
  const send = (now: number) => codeOf(space.spend({ token: 't', client: 'a' }, RATES, now))
  expect([send(NOW), send(NOW), send(NOW)]).toEqual(['in', 'in', 'client'])
  const earlier = NOW - 3_600_000
  expect([send(earlier), send(earlier + 29_999), send(earlier + 30_000)]).toEqual(['client', 'client', 'in'])
})
