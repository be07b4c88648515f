import type { Transport } from '../servers/server.ts'
import type { Measured, Round } from '../writes/compare.ts'
import { quantile } from './statistics.ts'

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

export function recordOf({ server, transport, spaces, connections, batch, rounds }: Measured): Record {
  const latencies = rounds.flatMap((round) => round.latencies)
  return {
    server,
    transport,
    spaces,
    connections,
    batch,
    requestsPerSecond: rounded(quantile(rounds.map(rateOf), 0.5), 1),
    cpuMicrosPerRequest: Math.round(sum(rounds, 'cpuMicros') / sum(rounds, 'requests')),
    p50: rounded(quantile(latencies, 0.5), 2),
    p99: rounded(quantile(latencies, 0.99), 2),
  }
}

/** The acknowledged requests per second of a round. */
export function rateOf({ requests, seconds }: Round): number {
  return requests / seconds
}

function sum(rounds: readonly Round[], field: 'cpuMicros' | 'requests'): number {
  return rounds.reduce((total, round) => total + round[field], 0)
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
