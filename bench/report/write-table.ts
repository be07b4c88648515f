import type { Shape } from '../servers/server.ts'
import type { Measured } from '../writes/compare.ts'
import { rateOf, recordOf } from './records.ts'
import { ratios, spread, spreadText } from './statistics.ts'

/** The server to which the others are compared. */
const FLOOR = 'bare'

const COLUMNS = [
  'server',
  'batch',
  'requests/s',
  `of ${FLOOR}`,
  'CPU µs/request',
  `of ${FLOOR}`,
  'p50 ms',
  'p99 ms',
]

/** The lines of a table of servers under the same shape of load. */
export function writeTable(all: readonly Measured[]): readonly string[] {
  const batches = [...new Set(all.map(({ batch }) => batch))].sort((a, b) => a - b)
  const rows = batches.flatMap((batch) => rowsOf(all.filter((measured) => measured.batch === batch)))
  const widths = COLUMNS.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [COLUMNS, ...rows].map(line)
}

function rowsOf(rivals: readonly Measured[]): readonly (readonly string[])[] {
  const floor = rivals.find(({ server }) => server === FLOOR)
  return rivals.map((measured) => {
    const { server, batch, requestsPerSecond, cpuMicrosPerRequest, p50, p99 } = recordOf(measured)
    return [
      server,
      String(batch),
      requestsPerSecond.toFixed(0),
      floor ? spreadText(spread(ratios(measured.rounds.map(rateOf), floor.rounds.map(rateOf)))) : '',
      String(cpuMicrosPerRequest),
      floor ? (cpuMicrosPerRequest / recordOf(floor).cpuMicrosPerRequest).toFixed(2) : '',
      p50.toFixed(1),
      p99.toFixed(1),
    ]
  })
}

/** A title like `http, 32 connections on 1 space`. */
export function shapeTitle({ transport, spaces, connections }: Shape): string {
  const many = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`
  return `${transport}, ${many(connections, 'connection')} on ${many(spaces, 'space')}`
}
