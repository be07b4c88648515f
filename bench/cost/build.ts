import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import type { Alteration } from '../../test/support/alter.ts'
import { buildOf } from '../servers/build.ts'

/** Runs a compaction pass as soon as it is due and not some seconds later, so that a short load pays for its own passes. */
const PASSES_AT_ONCE: Alteration = { constant: 'PASS_DELAY_MS', value: '0' }

/** Reports a space at once, so that its report is counted with the load that caused it. */
const REPORTS_AT_ONCE: Alteration = { constant: 'REPORT_DELAY_MS', value: '0' }

/** Makes every request find the configuration too old, like one that comes half a minute after the one before. */
export const RARELY_USED: Alteration = { constant: 'CONFIG_MAX_AGE_MS', value: '0' }

/** How to build the Worker with counters around it. */
export function countedBuild(more: readonly Alteration[] = []): BuildOptions {
  return buildOf(join(import.meta.dirname, 'counted.ts'), [PASSES_AT_ONCE, REPORTS_AT_ONCE, ...more])
}
