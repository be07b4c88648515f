import { readFileSync } from 'node:fs'

/** The unit of processor times in /proc: USER_HZ is 100 on every platform that Node runs on. */
export const TICK_MICROS = 10_000

/** The processor time that a process has used, user and system, µs. Linux only. */
export function processorMicros(pid: number): number {
  return ticks(readFileSync(`/proc/${pid}/stat`, 'utf8')) * TICK_MICROS
}

/** The ticks of user and system time of a line of /proc/<pid>/stat. The name in it may contain spaces. */
export function ticks(stat: string): number {
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return user + system
}

/** The resident memory of a process, MiB. */
export function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}
