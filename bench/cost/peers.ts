import { noUsage } from '../../test/support/usage.ts'
import { amountsOf, billOf } from './bill.ts'
import type { CountedService } from './service.ts'

/** A peer's work for one change of one small document, of which one field changes. */
interface Peer {
  readonly name: string
  /** A statement whose rows are counted in this runtime, or the number of rows as its source says. */
  readonly writes: { readonly table: string; readonly statement: string } | number
  /** Rows that it writes for a batch of 100 changes in one message. */
  readonly rowsOf100: (rowsOfOne: number) => number
  /** Requests to the Worker, calls of the object, and messages to it, for one change of three connected devices. */
  readonly requests: { readonly worker: number; readonly calls: number; readonly messages: number }
}

const PEERS: readonly Peer[] = [
  {
    name: 'a bare object, one `INSERT OR REPLACE` a change, HTTP',
    writes: {
      table: 'CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT)',
      statement: `INSERT OR REPLACE INTO entry VALUES ('notes/1', 'value')`,
    },
    rowsOf100: (rows) => 100 * rows,
    requests: { worker: 1, calls: 1, messages: 0 },
  },
  {
    name: 'y-partyserver with one row for each update, socket',
    writes: {
      table: 'CREATE TABLE update_log (id INTEGER PRIMARY KEY, data BLOB)',
      statement: `INSERT INTO update_log (data) VALUES (x'00')`,
    },
    rowsOf100: (rows) => rows,
    requests: { worker: 0, calls: 0, messages: 1 },
  },
  {
    name: 'TinyBase, `WsServerDurableObject` with the storage persister, socket',
    // The roots of tables and values, the table, the row, and the cell.
    writes: 5,
    rowsOf100: () => 3 + 2 * 100,
    requests: { worker: 0, calls: 0, messages: 1 },
  },
  {
    name: 'LiveStore, sync-cf with the storage of the object, socket',
    writes: {
      table:
        'CREATE TABLE eventlog (seqNum INTEGER PRIMARY KEY, parentSeqNum INTEGER, name TEXT, args TEXT, createdAt TEXT, clientId TEXT, sessionId TEXT) STRICT',
      statement: `INSERT INTO eventlog VALUES (NULL, 0, 'edit', '{}', '', 'a', 'b')`,
    },
    rowsOf100: (rows) => 100 * rows,
    // Every device confirms the event.
    requests: { worker: 0, calls: 0, messages: 4 },
  },
]

/** A peer's rows for one change, and the price of a million changes: rows and requests, without computing and logs. */
export interface BilledPeer {
  readonly name: string
  readonly rows: number
  readonly rowsAt100: number
  readonly isCounted: boolean
  readonly dollars: number
  readonly dollarsAt100: number
}

/** Counts the statements of peers in this runtime. The statements and messages themselves are read in their sources. */
export function countPeers(service: CountedService): Promise<readonly BilledPeer[]> {
  return Promise.all(
    PEERS.map(async ({ name, writes, rowsOf100, requests }) => {
      const rows = typeof writes === 'number' ? writes : await service.rowsWritten(writes)
      const rowsAt100 = rowsOf100(rows) / 100
      return {
        name,
        rows,
        rowsAt100,
        isCounted: typeof writes !== 'number',
        dollars: dollarsOf(rows, requests),
        dollarsAt100: dollarsOf(rowsAt100, requests, 100),
      }
    }),
  )
}

function dollarsOf(rowsWritten: number, { worker, calls, messages }: Peer['requests'], batch = 1): number {
  const work = {
    ...noUsage(),
    rowsWritten,
    requests: worker / batch,
    calls: calls / batch,
    messages: messages / batch,
  }
  const bill = billOf(amountsOf({ ...work, alarms: 0 }))
  return 1_000_000 * (bill.rows + bill.requests)
}
