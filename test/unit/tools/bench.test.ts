import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { entriesOf } from '../../../bench/clients/entries.ts'
import { busyTicks, foreignPart } from '../../../bench/load/machine.ts'
import { ticks } from '../../../bench/load/process.ts'
import { quantile, ratios, spread, spreadText } from '../../../bench/load/statistics.ts'
import { optionsOf } from '../../../bench/options.ts'
import { replacePart } from '../../../bench/report/docs.ts'
import { svgOf } from '../../../bench/report/plot.ts'
import { writePlot } from '../../../bench/report/plots.ts'
import { recordOf, summaryOf } from '../../../bench/report/records.ts'
import { markdown, plainLines, writeTable } from '../../../bench/report/tables.ts'
import { WITHOUT } from '../../../bench/servers/without.ts'
import { scattered } from '../../../bench/sizes/filled.ts'
import { altering } from '../../support/alter.ts'

test('npm run bench:protections finds every function that it takes out', async () => {
  const { errors } = await build({
    entryPoints: ['worker/src/index.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:*'],
    plugins: [altering(Object.values(WITHOUT).flat())],
  })
  expect(errors).toEqual([])
})

/** Two rounds under one load. */
function measured(server: string, requests: readonly [number, number]) {
  const rounds = requests.map((count) => ({
    requests: count,
    seconds: 2,
    cpuMicros: 90_000,
    memoryKiB: 300,
    latencies: Array.from({ length: count }, (_, index) => index + 1),
  }))
  return { server, transport: 'http', spaces: 1, connections: 32, batch: 100, rounds } as const
}

const RIVALS = [measured('bare', [100, 100]), measured('product', [50, 150])].map(summaryOf)

describe('statistics of a bench', () => {
  test('finds the middle between two values, and none in no values', () => {
    expect(quantile([4, 1], 0.5)).toBe(2.5)
    expect(quantile([], 0.5)).toBe(0)
    expect(spread([3, 1, 2])).toEqual({ low: 1, middle: 2, high: 3 })
  })

  test('compares servers within each round', () => {
    expect(ratios([2, 9], [1, 3])).toEqual([2, 3])
    expect(spreadText(spread([2, 3]))).toBe('2.50 (2.00 to 3.00)')
  })

  test('writes a record with exactly the documented fields', () => {
    expect(recordOf(summaryOf(measured('product', [100, 200])))).toEqual({
      server: 'product',
      transport: 'http',
      spaces: 1,
      connections: 32,
      batch: 100,
      requestsPerSecond: 75,
      cpuMicrosPerRequest: 600,
      p50: 75.5,
      p99: 197.01,
    })
  })

  test('prints the rate and the processor time of each server as parts of those of the bare object', () => {
    const [, bare = [], product = []] = writeTable(RIVALS)
    expect(bare.slice(3, 7)).toEqual(['50', '1.00 (1.00 to 1.00)', '900', '1.00'])
    expect(product.slice(3, 7)).toEqual(['50', '1.00 (0.50 to 1.50)', '900', '1.00'])
  })

  test('aligns a table for a terminal, and writes it in Markdown', () => {
    const table = [
      ['server', 'batch'],
      ['bare', '100'],
    ]
    expect(plainLines(table)).toBe('server  batch\nbare      100')
    expect(markdown(table)).toBe('| server | batch |\n| --- | --- |\n| bare | 100 |')
  })
})

describe('the writer of documents of a bench', () => {
  test('draws a bar for each server, in colours of one scheme', () => {
    const svg = svgOf(writePlot(RIVALS), 'dark')
    expect(svg.match(/<rect /g)).toHaveLength(2)
    expect(svg).toContain('1.00 (0.50 to 1.50)')
    expect(svg).not.toContain('#1f2328')
  })

  test('keeps the words around a part that it replaces', () => {
    const page = 'before <!-- bench:writes -->old<!-- /bench --> after <!-- bench:sizes --><!-- /bench -->'
    expect(replacePart(page, ['writes', 'new'])).toBe(
      'before <!-- bench:writes -->\n\nnew\n\n<!-- /bench --> after <!-- bench:sizes --><!-- /bench -->',
    )
    expect(() => replacePart(page, ['fan-out', ''])).toThrow('lacks the marks')
  })
})

test('npm run bench refuses an unknown option, and documents from a quick run', () => {
  expect(optionsOf(['--quick', '--json', 'a.json'])).toEqual({ quick: true, json: 'a.json', write: false })
  expect(() => optionsOf(['--fast'])).toThrow('Usage: npm run bench')
  expect(() => optionsOf(['--quick', '--write-docs'])).toThrow('--quick measures too little')
})

describe('processor time of a bench', () => {
  test('reads the time of a process whose name has spaces', () => {
    expect(ticks('7 (a b) c) S 1 7 7 0 -1 4194304 90 0 0 0 12 30 0 0 20 0 1 0 5 6')).toBe(42)
  })

  test('counts no idle time, and finds the part of other processes', () => {
    expect(busyTicks('cpu  10 1 5 900 80 2 1 1 0 0\ncpu0 1 1 1 1')).toBe(20)
    expect(foreignPart({ all: 0, own: 0 }, { all: 100, own: 75 })).toBe(0.25)
  })
})

describe('a client of a bench', () => {
  test('edits each of its entries once before it edits one again', () => {
    const entries = entriesOf(3, 10)
    const first = [...entries.pick(4), ...entries.pick(4)]
    expect(new Set(first).size).toBe(8)
    // From then on it picks at random among all.
    const picked = Array.from({ length: 200 }, () => entries.pick(4))
    for (const keys of picked) expect(new Set(keys).size).toBe(4)
    expect(new Set(picked.flat()).size).toBe(10)
    expect(new Set(picked.map((keys) => keys.toSorted().join())).size).toBeGreaterThan(20)
  })

  test('meets a space that was filled in an order without neighbours', () => {
    for (const count of [500, 100_000]) {
      const order = Array.from({ length: count }, (_, index) => scattered(index, count))
      expect(new Set(order).size).toBe(count)
      expect(order.filter((number, index) => number === (order[index - 1] ?? 0) + 1).length).toBeLessThan(2)
    }
  })
})
