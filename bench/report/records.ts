import { quantile } from '../load/statistics.ts'
import type { Transport } from '../servers/server.ts'
import type { Measured, Round } from '../writes/compare.ts'

/** A line of the file that `--json` writes. */
export interface Record {
  readonly server: string
  readonly transport: Transport
  readonly spaces: number
  readonly connections: number
  readonly batch: number
  /** The median of the rounds. */
  readonly requestsPerSecond: number
  /** Processor time of the server's process, over all rounds. */
  readonly cpuMicrosPerRequest: number
  /** Milliseconds until the acknowledgement, over all rounds. */
  readonly p50: number
  readonly p99: number
}

/** A record with what the tables and plots need too. */
export interface Summary extends Record {
  /** Requests per second of each round. */
  readonly rates: readonly number[]
  /** How much the memory of the server's process grew for a request, over all rounds. */
  readonly kibPerRequest: number
}

export function summaryOf({ server, transport, spaces, connections, batch, rounds }: Measured): Summary {
  const latencies = rounds.flatMap((round) => round.latencies)
  const rates = rounds.map(rateOf)
  return {
    server,
    transport,
    spaces,
    connections,
    batch,
    requestsPerSecond: rounded(quantile(rates, 0.5), 1),
    cpuMicrosPerRequest: Math.round(sum(rounds, 'cpuMicros') / sum(rounds, 'requests')),
    p50: rounded(quantile(latencies, 0.5), 2),
    p99: rounded(quantile(latencies, 0.99), 2),
    rates: rates.map((rate) => rounded(rate, 1)),
    kibPerRequest: rounded(sum(rounds, 'memoryKiB') / sum(rounds, 'requests'), 1),
  }
}

export function recordOf({ rates: _, kibPerRequest: __, ...record }: Summary): Record {
  return record
}

/** The acknowledged requests per second of a round. */
export function rateOf({ requests, seconds }: Round): number {
  return requests / seconds
}

/** The processor time of a request over several rounds, µs. */
export function cpuOf(rounds: readonly Round[]): number {
  return sum(rounds, 'cpuMicros') / sum(rounds, 'requests')
}

function sum(rounds: readonly Round[], field: 'cpuMicros' | 'requests' | 'memoryKiB'): number {
  return rounds.reduce((total, round) => total + round[field], 0)
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
