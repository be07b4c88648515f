import { readFileSync } from 'node:fs'
import { processorMicros, TICK_MICROS } from './process.ts'

/** Processor time since the machine started, µs. */
export interface Usage {
  /** Time of all processes. */
  readonly all: number
  /** Time of this process and of the servers. */
  readonly own: number
}

export function usage(pids: readonly number[]): Usage {
  const { user, system } = process.cpuUsage()
  const own = pids.reduce((total, pid) => total + processorMicros(pid), user + system)
  return { all: busyTicks(readFileSync('/proc/stat', 'utf8')) * TICK_MICROS, own }
}

/** The busy ticks of all processors, from the first line of /proc/stat: all but idle and waiting for a disk. */
export function busyTicks(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = (stat.split('\n', 1)[0] ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return user + nice + system + irq + softIrq + steal
}

/** The part of the busy time that other processes of the machine took. */
export function foreignPart(before: Usage, after: Usage): number {
  const all = after.all - before.all
  return all === 0 ? 0 : Math.max(0, 1 - (after.own - before.own) / all)
}
