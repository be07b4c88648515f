import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { type Amounts, amountsOf, billOf, includedChanges, times } from '../../../bench/cost/bill.ts'
import { countedBuild, RARELY_USED } from '../../../bench/cost/build.ts'
import { rewrite, tablesOf } from '../../../bench/cost/report.ts'
import { noUsage } from '../../support/usage.ts'

const NOTHING = { ...noUsage(), requests: 0, messages: 0, alarms: 0 }
const NO_AMOUNTS: Amounts = amountsOf(NOTHING)

test('counts twenty messages as one request, as in the second example of the vendor', () => {
  const { objectRequests } = amountsOf({ ...NOTHING, calls: 150_000, messages: 72_000_000 })
  expect(objectRequests).toBe(3_750_000)
})

test('counts the time of messages as in the fourth example of the vendor', () => {
  expect(amountsOf({ ...NOTHING, messages: 432_000_000 }).gbSeconds).toBeCloseTo(552_960, 6)
})

test('counts an alarm that is set as a row written, and one that rings as a request', () => {
  const amounts = amountsOf({ ...NOTHING, rowsWritten: 3, alarmsSet: 1, alarms: 1 })
  expect(amounts).toMatchObject({ rowsWritten: 4, objectRequests: 1 })
})

test('bills a million of each item at its price, and adds up', () => {
  const amounts = {
    ...NO_AMOUNTS,
    rowsWritten: 3_000_000,
    workerRequests: 1_000_000,
    objectRequests: 1_000_000,
  }
  const bill = billOf(amounts)
  expect(bill).toMatchObject({ rows: 3, compute: 0, kv: 0, telemetry: 0 })
  expect(bill.requests).toBeCloseTo(0.45, 9)
  expect(bill.total).toBeCloseTo(3.45, 9)
  expect(billOf(times(amounts, 2)).total).toBeCloseTo(6.9, 9)
})

test('names the item of the plan that is used up first', () => {
  const perMillion = { ...NO_AMOUNTS, rowsWritten: 2_000_000, workerRequests: 1_000_000 }
  expect(includedChanges(perMillion)).toEqual({ changes: 10_000_000, item: 'workerRequests' })
})

test('finds the marks of every table in docs/costs.md', () => {
  const tables = tablesOf({ loads: [], scenarios: [], peers: [] })
  const text = readFileSync('docs/costs.md', 'utf8')
  expect(() => rewrite(text, tables)).not.toThrow()
  expect(() => rewrite(text.replace('<!-- bill -->', ''), tables)).toThrow('"bill"')
})

test('rewrites a table and leaves the text around it', () => {
  const text = 'before\n<!-- a -->\nold\n<!-- end -->\nafter\n'
  const written = 'before\n<!-- a -->\n\nnew\n\n<!-- end -->\nafter\n'
  expect(rewrite(text, { a: 'new' })).toBe(written)
  expect(rewrite(written, { a: 'new' })).toBe(written)
})

test('npm run cost finds the constants that it changes', async () => {
  const { errors } = await build({ ...countedBuild([RARELY_USED]), write: false })
  expect(errors).toEqual([])
})
