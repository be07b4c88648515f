import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { PRIVATE_UMASK } from '../cli/private-file.ts'
import { COMPILE_CACHE, ROOT } from '../cli/root.ts'
import { whenNpmEnds } from './parent.ts'

/** Prepares this process to serve a stack until somebody stops it. Its files are for their owner only. */
export function prepareProcess(): void {
  process.umask(PRIVATE_UMASK)
  // Registered before the runtime's own handlers, which would exit with 130. The handlers of `exit` end the child
  // processes and release the lock. Acknowledged data is already on disk.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0))
  whenNpmEnds(() => process.exit(0))
  // The reader of the output (a pager, `head`) has closed the pipe.
  process.stdout.on('error', () => process.exit(0))
  // Compiles the large packages behind start-cloud.ts once. From then on they load in half the time.
  enableCompileCache(join(ROOT, COMPILE_CACHE))
}
