import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import { altering } from '../../test/support/alter.ts'

/**
 * How to build the Worker with counters around it. A compaction pass runs as soon as it is due and not some seconds later,
 * so that a short load pays for its own passes.
 */
export function countedBuild(): BuildOptions {
  return {
    entryPoints: [join(import.meta.dirname, 'counted.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    plugins: [altering([{ constant: 'PASS_DELAY_MS', value: '0' }])],
  }
}
