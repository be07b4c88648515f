import type { Usage } from '../../test/support/usage.ts'
import { type Item, PRICES } from './prices.ts'

/** The counted work of a load. */
export interface Counted extends Usage {
  /** Requests that reached the Worker. */
  readonly requests: number
  /** Messages of clients that reached an object. */
  readonly messages: number
  /** Alarms that rang. */
  readonly alarms: number
}

/** The amounts of a bill. */
export type Amounts = Readonly<Record<Item, number>>

/** Messages that arrive on sockets and are billed as one request. */
const MESSAGES_A_REQUEST = 20

/** How long an object runs for one event, seconds: as the vendor's own example has it (10 ms for a message). */
export const EVENT_SECONDS = 0.01

/** The memory that is billed for an object that runs, GB as the vendor counts it. */
const OBJECT_GB = 0.128

/** Converts counted work into the amounts that are billed. `cpuMs` is the processor time of the Worker. */
export function amountsOf(counted: Counted, cpuMs = 0): Amounts {
  const { requests, messages, alarms, calls, rowsRead, rowsWritten, alarmsSet } = counted
  const { kvReads, kvWrites, logLines, dataPoints } = counted
  return {
    rowsWritten: rowsWritten + alarmsSet,
    rowsRead,
    workerRequests: requests,
    objectRequests: calls + alarms + messages / MESSAGES_A_REQUEST,
    gbSeconds: (calls + alarms + messages) * EVENT_SECONDS * OBJECT_GB,
    cpuMs,
    kvReads,
    kvWrites,
    logLines,
    dataPoints,
  }
}

export function times(amounts: Amounts, factor: number): Amounts {
  return mapAmounts((item) => amounts[item] * factor)
}

export function sum(...all: readonly Amounts[]): Amounts {
  return mapAmounts((item) => all.reduce((total, amounts) => total + amounts[item], 0))
}

function mapAmounts(amountOf: (item: Item) => number): Amounts {
  const items = Object.keys(PRICES) as Item[]
  return Object.fromEntries(items.map((item) => [item, amountOf(item)])) as Record<Item, number>
}

/** The items of a bill that belong together. */
const GROUPS = {
  rows: ['rowsWritten', 'rowsRead'],
  requests: ['workerRequests', 'objectRequests'],
  compute: ['gbSeconds', 'cpuMs'],
  kv: ['kvReads', 'kvWrites'],
  telemetry: ['logLines', 'dataPoints'],
} as const satisfies Record<string, readonly Item[]>

/** Dollars by group, and in all. */
export type Bill = Readonly<Record<keyof typeof GROUPS | 'total', number>>

export function billOf(amounts: Amounts): Bill {
  const dollars = (item: Item) => (amounts[item] * PRICES[item].perMillion) / 1_000_000
  const groups = Object.entries(GROUPS).map(
    ([group, items]) => [group, items.reduce((total, item) => total + dollars(item), 0)] as const,
  )
  const total = groups.reduce((all, [, amount]) => all + amount, 0)
  return { ...Object.fromEntries(groups), total } as Bill
}

/** How many changes a month the plan includes, and the item that is used up first. */
export function includedChanges(amountsPerMillion: Amounts): {
  readonly changes: number
  readonly item: Item
} {
  const items = Object.keys(PRICES) as Item[]
  const all = items.map((item) => ({
    item,
    changes: (PRICES[item].included / amountsPerMillion[item]) * 1_000_000,
  }))
  return all.reduce((least, each) => (each.changes < least.changes ? each : least))
}
