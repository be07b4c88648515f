import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { UserError } from '../cli/user-error.ts'

export interface Lock {
  /** Records the process of the runtime, so that the next holder can end it if this process is killed. */
  noteRuntime(pid: number): void
  release(): void
}

/** Locks the folder for this process. The lock is released at the latest when the process exits. */
export async function lockFolder(folder: string, stack: string): Promise<Lock> {
  const file = join(folder, 'lock')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!tryLock(file)) {
    const [holder = 0, runtime = 0] = readFileSync(file, 'utf8').split(' ').map(Number)
    if (commandOf(holder)) {
      throw new UserError(
        `stack "${stack}" is already running (process ${holder}). Stop it first, or if process ${holder} is another program, delete ${file}`,
      )
    }
    await endOrphan(runtime)
    rmSync(file, { force: true })
    if (!tryLock(file)) throw new UserError(`stack "${stack}" is being started by another process`)
  }
  function release(): void {
    process.off('exit', release)
    rmSync(file, { force: true })
  }
  process.on('exit', release)
  return { release, noteRuntime: (pid) => writeFileSync(file, `${process.pid} ${pid}`) }
}

function tryLock(file: string): boolean {
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    writeSync(descriptor, String(process.pid))
    closeSync(descriptor)
    return true
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false
    throw cause
  }
}

/** Ends the runtime of a killed holder, which still has the port and the data. Checks the program, because ids are reused. */
async function endOrphan(pid: number): Promise<void> {
  while (commandOf(pid).includes('workerd')) {
    process.kill(pid, 'SIGKILL')
    await setTimeout(20)
  }
}

/** The command of a process; empty if there is no such process, or if it is a zombie. */
function commandOf(pid: number): string {
  if (pid === 0) return ''
  const [state = '', command = ''] = process.platform === 'linux' ? readStat(pid) : askPs(pid)
  return state.startsWith('Z') ? '' : command
}

/** Reads a file like `123 (workerd) S 1 ...`, because slim container images lack `ps`. */
function readStat(pid: number): readonly string[] {
  try {
    return (
      /\((.*)\) (\w)/s
        .exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))
        ?.slice(1)
        .toReversed() ?? []
    )
  } catch {
    // The file disappears with the process.
    return []
  }
}

function askPs(pid: number): readonly string[] {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,comm=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim().split(/\s+(.*)/)
}
