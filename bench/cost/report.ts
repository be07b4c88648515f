import { includedChanges } from './bill.ts'
import type { BilledLoad } from './measure.ts'
import type { BilledPeer } from './peers.ts'
import { type Item, PRICES, READ_ON } from './prices.ts'
import type { Scenario } from './scenarios.ts'

/** Everything that the command found out. */
export interface Costs {
  readonly loads: readonly BilledLoad[]
  readonly scenarios: readonly Scenario[]
  readonly peers: readonly BilledPeer[]
}

/** The tables of docs/costs.md by name, in Markdown. The terminal shows the same. */
export function tablesOf({ loads, scenarios, peers }: Costs): Readonly<Record<string, string>> {
  return {
    prices: priceTable(),
    amounts: amountTable(loads),
    bill: billTable(loads),
    scenarios: scenarioTable(scenarios),
    peers: peerTable(peers, loads),
  }
}

function priceTable(): string {
  const rows = Object.values(PRICES).map(({ unit, perMillion, included, source }) => [
    unit,
    dollars(perMillion),
    amount(included),
    `[source](${source})`,
  ])
  return table(['a million of', 'costs', 'included each month', `read on ${READ_ON}`], rows)
}

function amountTable(loads: readonly BilledLoad[]): string {
  const rows = loads.map((load) => {
    const { rowsWritten, rowsRead, workerRequests, objectRequests, logLines } = load.amountsPerMillion
    return [
      nameOf(load),
      perChange(rowsWritten),
      perChange(rowsRead),
      perChange(workerRequests),
      perChange(objectRequests),
      perChange(logLines),
      String(Math.round(load.bytesPerChange)),
      load.cpuMsPerThousandChanges.toFixed(load.batch < 100 ? 0 : 1),
    ]
  })
  const head = [
    'load',
    'rows written',
    'rows read',
    'Worker requests',
    'object requests',
    'log lines',
    'bytes at rest',
    'ms for 1,000 changes, here',
  ]
  return table(head, rows)
}

function billTable(loads: readonly BilledLoad[]): string {
  const rows = loads.map((load) => {
    const { rows, requests, compute, kv, telemetry, total } = load.bill
    const { changes, item } = includedChanges(load.amountsPerMillion)
    const plan = `${amount(changes)}, then ${SHORT_NAMES[item] ?? item}`
    return [nameOf(load), ...[rows, requests, compute, kv, telemetry, total].map(dollars), plan]
  })
  const items = ['rows', 'requests', 'computing', 'KV', 'logs and points', 'in all']
  return table(['a million changes', ...items, 'the plan includes a month'], rows)
}

function scenarioTable(scenarios: readonly Scenario[]): string {
  const rows = scenarios.map((scenario) => [scenario.name, dollars(scenario.dollars), scenario.how])
  return table(['use', 'costs', 'which is'], rows)
}

const SHORT_NAMES: Partial<Record<Item, string>> = {
  rowsWritten: 'rows',
  objectRequests: 'requests',
  workerRequests: 'requests',
  logLines: 'log lines',
  dataPoints: 'data points',
}

/** The peers, and the product beside them by the same items: rows and requests. */
function peerTable(peers: readonly BilledPeer[], loads: readonly BilledLoad[]): string {
  const product = (['HTTP', 'socket'] as const).flatMap((transport) => {
    const one = loads.find((load) => load.transport === transport && load.keys === 'hot')
    const hundred = loads.find((load) => load.transport === transport && load.batch === 100)
    if (one === undefined || hundred === undefined) return []
    const [alone, together] = [one, hundred].map((load) => load.amountsPerMillion.rowsWritten)
    const price = ({ bill }: BilledLoad) => dollars(bill.rows + bill.requests)
    const rows = [perChange(alone ?? 0), price(one), perChange(together ?? 0), price(hundred)]
    return [[`ChronicleSync, ${transport}`, ...rows, 'all']]
  })
  const others = peers.map(({ name, rows, rowsAt100, isCounted, dollars: one, dollarsAt100 }) => [
    name,
    rows.toFixed(3),
    dollars(one),
    rowsAt100.toFixed(3),
    dollars(dollarsAt100),
    isCounted ? 'rows of the statement' : 'nothing',
  ])
  const head = [
    'server',
    'rows a change',
    'a million',
    'rows a change at 100',
    'a million at 100',
    'counted here',
  ]
  return table(head, [...product, ...others])
}

function nameOf({ transport, batch, keys }: BilledLoad): string {
  return `batches of ${batch}, ${keys === 'hot' ? 'a hot key' : 'random keys'}, ${transport}`
}

function perChange(amountPerMillion: number): string {
  return (amountPerMillion / 1_000_000).toFixed(3)
}

/** A large number, to three digits: `16 million`. */
function amount(value: number): string {
  const [size, name] = value >= 1e9 ? [1e9, ' billion'] : value >= 1e6 ? [1e6, ' million'] : [1, '']
  return `${Number((value / size).toPrecision(3)).toLocaleString('en')}${name}`
}

/** An amount of money. Less than a cent is shown by its first digit. */
function dollars(value: number): string {
  if (value === 0 || value >= 0.01) return `$${value.toFixed(2)}`
  return `$${Number(value.toPrecision(1)).toFixed(7).replace(/0+$/, '')}`
}

/** A table in Markdown, whose columns are aligned for the terminal. Only the first column is text. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(column === cells.length - 1 ? 0 : (widths[column] ?? 0))).join(' | ')} |`
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n')
}

/** Puts the tables into a document, each between the marks that bear its name. */
export function rewrite(text: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((before, [name, content]) => {
    const between = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`)
    if (!between.test(before)) throw new Error(`the document has no marks for the table "${name}"`)
    return before.replace(between, (_, open, close) => `${open}\n${content}\n\n${close}`)
  }, text)
}
