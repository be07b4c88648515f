import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './private-file.ts'

export interface Lock {
  /** Notes the runtime's process, so that it can be ended by the next holder if this one is killed. */
  noteRuntime(pid: number): void
  release(): void
}

/** Makes sure that one process at a time works with the folder; released at the latest when it exits. */
export function lockFolder(folder: string, stack: string): Lock {
  const file = join(folder, 'lock')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!tryLock(file)) {
    const [holder = 0, runtime = 0] = readFileSync(file, 'utf8').split(' ').map(Number)
    if (isAlive(holder)) {
      throw new StartError(
        `stack "${stack}" is already running (process ${holder}). Stop that one first; if process ${holder} is something else, delete ${file}`,
      )
    }
    endOrphan(runtime)
    rmSync(file, { force: true })
    if (!tryLock(file)) throw new StartError(`stack "${stack}" is being started by another process`)
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

function isAlive(pid: number): boolean {
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM'
  }
}

/** Ends the runtime of a killed holder, which would keep port and data. Numbers are reused: look first. */
function endOrphan(pid: number): void {
  if (!isAlive(pid)) return
  const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  if (command.includes('workerd')) process.kill(pid, 'SIGKILL')
}
