import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { COMPILE_CACHE } from '../../../infra/cli/root.ts'

/** Starts a process that ends with this one, because its channel closes. `file` is in this folder. */
export function startHost(file: string): ChildProcess {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, '../../..', COMPILE_CACHE) }
  const host = fork(join(import.meta.dirname, file), { execArgv: [], env })
  host.unref()
  host.channel?.unref()
  return host
}
