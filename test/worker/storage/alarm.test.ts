import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../../../worker/src/core/values/limits.ts'
import { REPORT_PAUSE_MS } from '../../../worker/src/core/values/report-limits.ts'
import type { Chronicle } from '../../../worker/src/objects/chronicle.ts'
import { alarmOf } from '../../../worker/src/objects/space/alarm.ts'
import { overhear } from '../../support/setup/witness.ts'
import { deliver } from '../../support/unkind/alarm.ts'
import { failing } from '../../support/unkind/calls.ts'
import { device, mint } from '../../support/worker/client.ts'

const SECOND = 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Makes a space with a superseded version, which ages. */
async function agingSpace() {
  const space = crypto.randomUUID()
  const { sync } = await device(await mint({ space }))
  await sync({ changes: [{ key: 'k', value: 1, timestamp: 1 }] })
  await sync({ changes: [{ key: 'k', deleted: true, timestamp: 2 }] })
  return env.CHRONICLE.getByName(space)
}

interface Ringing {
  readonly ended: 'delivered' | 'dropped'
  /** Time until the object wakes next, ms; null: never. */
  readonly next: number | null
  readonly lines: readonly string[]
}

/** Rings the alarm once, while storage refuses the calls that `broken` picks. */
async function ring(
  stub: Awaited<ReturnType<typeof agingSpace>>,
  broken: (query: unknown) => boolean,
): Promise<Ringing> {
  return runInDurableObject(stub, async (object: Chronicle, { storage }) => {
    // The runtime must not ring the alarm as well.
    await storage.deleteAlarm()
    using _ = failing(storage.sql, 'exec', broken)
    let ended: Ringing['ended'] = 'dropped'
    const lines = await overhear(async () => {
      ended = await deliver(() => object.alarm())
    })
    const at = await storage.getAlarm()
    return { ended, next: at === null ? null : at - Date.now(), lines }
  })
}

const NOTHING = () => false
const UPKEEP = (query: unknown) => String(query).includes('FROM revoked')

test('[LC11] never gives up an upkeep that keeps failing, and waits longer each time', async () => {
  const stub = await agingSpace()
  const waits: (number | null)[] = []
  for (let failures = 1; failures <= 12; failures++) {
    // An eviction waits for the report of a defect, which waits if the last report is not ten seconds old.
    vi.setSystemTime(Date.now() + REPORT_PAUSE_MS)
    const { ended, next, lines } = await ring(stub, UPKEEP)
    expect(ended).toBe('delivered')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'error', message: 'defect' }])
    waits.push(next)
    // The object is evicted between two alarms.
    if (failures % 2 === 0) await evictDurableObject(stub)
  }
  expect(waits.slice(0, 4)).toEqual([10, 20, 40, 80].map((seconds) => seconds * SECOND))
  expect(waits.slice(-3)).toEqual([3600, 3600, 3600].map((seconds) => seconds * SECOND))
  expect(await ring(stub, NOTHING)).toEqual({ ended: 'delivered', next: DAY_MS, lines: [] })
  expect((await ring(stub, UPKEEP)).next).toBe(10 * SECOND)
})

test('[LC11] waits longer even where the count of failures cannot be stored', async () => {
  const stub = await agingSpace()
  const waits: (number | null)[] = []
  for (let failures = 1; failures <= 3; failures++) waits.push((await ring(stub, () => true)).next)
  expect(waits).toEqual([10, 20, 40].map((seconds) => seconds * SECOND))
})

test('[LC11] leaves an alarm that cannot be set to the retries of the platform', async () => {
  const stub = await agingSpace()
  await runInDurableObject(stub, async (object: Chronicle, { storage }) => {
    await storage.deleteAlarm()
    let left = 5
    using unset = failing(storage, 'setAlarm', () => left-- > 0)
    const lines = await overhear(async () => {
      expect(await deliver(() => object.alarm())).toBe('delivered')
    })
    expect(unset.calls()).toBe(5)
    expect(lines.length).toBeGreaterThan(0)
    expect(await storage.getAlarm()).not.toBeNull()
  })
})

/** Keeps an alarm in memory and answers slowly. */
function slowStorage(at: number | null = null) {
  const storage = {
    at,
    getAlarm: () => Promise.resolve(storage.at),
    setAlarm: async (next: number | Date) => {
      storage.at = Number(next)
    },
  }
  return storage
}

test.each([
  [[1000, DAY_MS], 1000],
  [[DAY_MS, 1000], 1000],
  [[DAY_MS, 3000, 2000, 4000], 2000],
])('[LC11] sets the earliest of the alarms that are requested at once: %j', async (wanted, expected) => {
  const storage = slowStorage()
  const alarm = alarmOf(storage)
  await Promise.all(wanted.map((at) => alarm.wakeBy(at)))
  expect(storage.at).toBe(expected)
})

test('[LC11] ignores an alarm that rings while it is being read', async () => {
  const storage = slowStorage(500)
  const alarm = alarmOf(storage)
  const waking = alarm.wakeBy(1000)
  storage.at = null
  alarm.forget()
  await waking
  expect(storage.at).toBe(1000)
})

test('[LC11] sets an alarm that failed to be set at the next request for one', async () => {
  const storage = slowStorage()
  const alarm = alarmOf(storage)
  {
    using _ = failing(storage, 'setAlarm')
    await expect(alarm.wakeBy(1000)).rejects.toThrow('setAlarm')
  }
  await alarm.wakeBy(2000)
  expect(storage.at).toBe(2000)
})

test('[LC11] keeps an alarm that was put off after a failure, whatever is written or swept', async () => {
  let at: number | null = null
  const alarm = alarmOf({
    getAlarm: async () => at,
    setAlarm: async (time) => {
      at = Number(time)
    },
  })
  await alarm.postpone(3_600_000)
  await alarm.wakeBy(10_000)
  expect(at).toBe(3_600_000)
  alarm.forget()
  at = null
  await alarm.wakeBy(10_000)
  expect(at).toBe(10_000)
})
