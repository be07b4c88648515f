/** When the vendor's pages were read. */
export const READ_ON = '2026-11-28'

const DOCS = 'https://developers.cloudflare.com'
const OBJECTS = `${DOCS}/durable-objects/platform/pricing/`
const WORKERS = `${DOCS}/workers/platform/pricing/`
const OBSERVABILITY = `${DOCS}/observability/pricing/`

export interface Price {
  /** The thing that is counted. */
  readonly unit: string
  /** Dollars per million of them, beyond what the plan includes. */
  readonly perMillion: number
  /** How many of them the paid plan ($5 a month for the account) includes each month. */
  readonly included: number
  readonly source: string
}

/** The average size of an event of Workers Logs, kB, by the vendor (observability/logs/datasets). Ours may be smaller. */
const LOG_EVENT_KB = 4.84
/** A line is ingested once at $0.25 a GB, and stored for seven days of thirty at $0.10 a GB-month. */
const LOG_LINE_PER_MILLION = LOG_EVENT_KB * (0.25 + (0.1 * 7) / 30)

/** The published prices of everything that the service uses. */
export const PRICES = {
  rowsWritten: {
    unit: 'rows written (an index row and a set alarm are one each)',
    perMillion: 1,
    included: 50_000_000,
    source: OBJECTS,
  },
  rowsRead: { unit: 'rows read', perMillion: 0.001, included: 25_000_000_000, source: OBJECTS },
  workerRequests: {
    unit: 'requests to the Worker (opening a socket is one)',
    perMillion: 0.3,
    included: 10_000_000,
    source: WORKERS,
  },
  objectRequests: {
    unit: 'requests to an object (a call, an alarm, or 20 messages that arrive on sockets)',
    perMillion: 0.15,
    included: 1_000_000,
    source: OBJECTS,
  },
  gbSeconds: {
    unit: 'GB-seconds that an object runs, at 128 MB',
    perMillion: 12.5,
    included: 400_000,
    source: OBJECTS,
  },
  cpuMs: {
    unit: 'milliseconds of processor time of the Worker',
    perMillion: 0.02,
    included: 30_000_000,
    source: WORKERS,
  },
  kvReads: { unit: 'KV reads', perMillion: 0.5, included: 10_000_000, source: WORKERS },
  kvWrites: { unit: 'KV writes', perMillion: 5, included: 1_000_000, source: WORKERS },
  logLines: {
    unit: `log lines, at the vendor's average of ${LOG_EVENT_KB} kB with attributes ($0.25 a GB ingested, $0.10 a GB-month)`,
    perMillion: LOG_LINE_PER_MILLION,
    included: 50_000_000 / LOG_EVENT_KB,
    source: OBSERVABILITY,
  },
  dataPoints: {
    unit: 'data points (published, and not charged yet)',
    perMillion: 0.25,
    included: 10_000_000,
    source: `${DOCS}/analytics/analytics-engine/pricing/`,
  },
} as const satisfies Record<string, Price>

export type Item = keyof typeof PRICES

/** Dollars for a GB stored for a month, beyond 5 GB. */
export const STORED_GB_MONTH = 0.2
