import { type Amounts, amountsOf, type Bill, billOf, type Counted, times } from './bill.ts'
import { closeAll, type Load, loadUsers, send } from './load.ts'
import type { CountedService } from './service.ts'

/** The loads whose bill is measured. Each is long enough to pay for its own compaction passes. */
export const LOADS: readonly Load[] = (['HTTP', 'socket'] as const).flatMap((transport) => [
  { transport, batch: 1, keys: 'hot', changes: 2100 },
  { transport, batch: 1, keys: 'random', changes: 2100 },
  { transport, batch: 10, keys: 'random', changes: 6000 },
  { transport, batch: 100, keys: 'random', changes: 30_000 },
  { transport, batch: 500, keys: 'random', changes: 45_000 },
])

/** The counted work of a load. */
export interface CountedLoad {
  readonly load: Load
  /** The changes that were really sent: whole batches of every device. */
  readonly changes: number
  readonly counted: Counted
  /** The bytes that the space grew by, history and sealed contents included. */
  readonly bytes: number
}

/** A load with its bill for a million changes. */
export interface BilledLoad {
  readonly transport: Load['transport']
  readonly batch: number
  readonly keys: Load['keys']
  readonly amountsPerMillion: Amounts
  readonly bill: Bill
  /** Bytes at rest for each change, with its history. */
  readonly bytesPerChange: number
  /** The processor time of the whole runtime on this machine. */
  readonly cpuMsPerThousandChanges: number
}

const MILLION = 1_000_000

/** Counts a load in a new space. Opening its sessions and sockets is not part of it. */
export async function countLoad(service: CountedService, load: Load): Promise<CountedLoad> {
  const users = await loadUsers(service, load)
  const before = await bytesOf(service, users.token)
  await service.take()
  await send(users, load)
  const counted = await service.take()
  await closeAll(users.devices)
  const bytes = (await bytesOf(service, users.token)) - before
  return { load, counted, bytes, changes: sentBy(load, users.devices.length) }
}

function sentBy({ batch, changes }: Load, devices: number): number {
  return Math.ceil(changes / batch / devices) * devices * batch
}

/** The size of a space by its own status: the pages of its database. */
export async function bytesOf(service: CountedService, token: string): Promise<number> {
  const { session } = await service.post('/api/auth', '', { token })
  const status = await service.get('/api/status', String(session))
  return (status.quota as { readonly bytes: { readonly used: number } }).bytes.used
}

/** Measures the processor time of a part of a load, without counters: ms for each change. The first changes warm up. */
export async function timeLoad(service: CountedService, load: Load): Promise<number> {
  const users = await loadUsers(service, load)
  const part = { ...load, changes: load.changes / 3 }
  await send(users, { ...load, changes: load.changes / 10 })
  const before = service.cpuMs()
  await send(users, part)
  const used = service.cpuMs() - before
  await closeAll(users.devices)
  return used / sentBy(part, users.devices.length)
}

/** Bills a load. The Worker is charged for the time of the whole runtime, which is more than its own; not for sockets, whose messages run no Worker. */
export function billLoad({ load, changes, counted, bytes }: CountedLoad, cpuMsPerChange: number): BilledLoad {
  const cpuMs = load.transport === 'HTTP' ? cpuMsPerChange * changes : 0
  const amountsPerMillion = times(amountsOf(counted, cpuMs), MILLION / changes)
  return {
    transport: load.transport,
    batch: load.batch,
    keys: load.keys,
    amountsPerMillion,
    bill: billOf(amountsPerMillion),
    bytesPerChange: bytes / changes,
    cpuMsPerThousandChanges: cpuMsPerChange * 1000,
  }
}
