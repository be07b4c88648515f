import type { FannedOut } from '../fan-out/fan-out.ts'
import { ratios, spread, spreadText } from '../load/statistics.ts'
import type { Sized } from '../sizes/sizes.ts'
import type { ColdStart } from '../sizes/wake.ts'
import { cpuOf, rateOf, type Summary } from './records.ts'

/** The server to which the others are compared. */
export const FLOOR = 'bare'

/** Rows of cells; the first row has the titles of the columns. */
export type Table = readonly (readonly string[])[]

/** The writes of servers under one shape of load. */
export function writeTable(all: readonly Summary[]): Table {
  const titles = [
    'server',
    'over',
    'batch',
    'requests/s',
    `of ${FLOOR}`,
    'CPU µs',
    `of ${FLOOR}`,
    'KiB',
    'p50 ms',
    'p99 ms',
  ]
  const batches = [...new Set(all.map(({ batch }) => batch))]
  return [titles, ...batches.flatMap((batch) => writeRows(all.filter((each) => each.batch === batch)))]
}

function writeRows(rivals: readonly Summary[]): Table {
  const floor = rivals.find(({ server }) => server === FLOOR)
  return rivals.map((each) => [
    each.server,
    each.transport,
    String(each.batch),
    each.requestsPerSecond.toFixed(each.requestsPerSecond < 10 ? 1 : 0),
    floor ? spreadText(spread(ratios(each.rates, floor.rates))) : '',
    String(each.cpuMicrosPerRequest),
    floor ? (each.cpuMicrosPerRequest / floor.cpuMicrosPerRequest).toFixed(2) : '',
    each.kibPerRequest.toFixed(0),
    each.p50.toFixed(1),
    each.p99.toFixed(1),
  ])
}

/** The cost of work in spaces of several sizes, as multiples of the cost in the smallest. */
export function sizeTable(all: readonly Sized[]): Table {
  const titles = [
    'work',
    'server',
    'entries',
    'requests/s',
    'CPU µs',
    'CPU of the smallest',
    'rate of the smallest',
  ]
  return [
    titles,
    ...all.map(({ work, server, entries, rounds }) => {
      const smallest = all.find((other) => other.work === work && other.server === server)?.rounds ?? rounds
      return [
        work,
        server,
        entries.toLocaleString('en'),
        spread(rounds.map(rateOf)).middle.toFixed(0),
        cpuOf(rounds).toFixed(0),
        (cpuOf(rounds) / cpuOf(smallest)).toFixed(2),
        spreadText(spread(ratios(rounds.map(rateOf), smallest.map(rateOf)))),
      ]
    }),
  ]
}

/** How soon listeners have a change. */
export function fanOutTable(all: readonly FannedOut[]): Table {
  const titles = [
    'server',
    'listeners',
    'ack p50 / p99 ms',
    'last listener p50 / p99 ms',
    'p50 of broadcast',
    'CPU µs a message',
  ]
  return [
    titles,
    ...all.map(({ server, listeners, rounds }) => {
      const floor = all.find((other) => other.listeners === listeners)?.rounds ?? rounds
      const middle = (field: keyof (typeof rounds)[number]) =>
        spread(rounds.map((round) => round[field])).middle
      return [
        server,
        String(listeners),
        `${middle('ackP50').toFixed(1)} / ${middle('ackP99').toFixed(1)}`,
        `${middle('lastP50').toFixed(1)} / ${middle('lastP99').toFixed(1)}`,
        spreadText(
          spread(
            ratios(
              rounds.map(({ lastP50 }) => lastP50),
              floor.map(({ lastP50 }) => lastP50),
            ),
          ),
        ),
        middle('cpuMicrosPerMessage').toFixed(0),
      ]
    }),
  ]
}

/** The first requests after a start. */
export interface Started {
  readonly server: string
  readonly rounds: readonly ColdStart[]
}

export function startTable(all: readonly Started[]): Table {
  const sizes = Object.keys(all[0]?.rounds[0]?.objectMs ?? {}).map(Number)
  const titles = [
    'server',
    'script, ms',
    'runtime and script, CPU ms',
    'memory, MiB',
    ...sizes.map((entries) => `object with ${entries.toLocaleString('en')} entries, ms`),
  ]
  return [
    titles,
    ...all.map(({ server, rounds }) => {
      const text = (of: (round: ColdStart) => number) => spreadText(spread(rounds.map(of)), 1)
      return [
        server,
        text(({ scriptMs }) => scriptMs),
        text(({ scriptCpuMicros }) => scriptCpuMicros / 1000),
        text(({ memoryMiB }) => memoryMiB),
        ...sizes.map((entries) => text(({ objectMs }) => objectMs[entries] ?? 0)),
      ]
    }),
  ]
}

/** A title like `32 connections on 1 space`. */
export function shapeTitle({ spaces, connections }: Pick<Summary, 'spaces' | 'connections'>): string {
  const many = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`
  return `${many(connections, 'connection')} on ${many(spaces, 'space')}`
}

/** The table with aligned columns, for a terminal. */
export function plainLines(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  )
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return table.map((row) => row.map(pad).join('  ')).join('\n')
}

/** The table in Markdown. */
export function markdown([titles = [], ...rows]: Table): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}
