import { signal } from '@preact/signals'
import { type Metrics, parseMetrics } from '../base/open-metrics.ts'
import { askText } from './operator.ts'

/** Samples that are kept: an hour, with one every five seconds. */
const MOST_SAMPLES = 720

/** The numbers of one moment. */
export interface Sample {
  /** In seconds since 1970. */
  readonly at: number
  readonly metrics: Metrics
}

/** The samples since the page was opened, the oldest first. */
export const samples = signal<readonly Sample[]>([])

/** Reads the metrics of the service once more. */
export async function takeSample(signal: AbortSignal): Promise<Metrics> {
  const metrics = parseMetrics(await askText('/api/metrics', { signal }))
  samples.value = [...samples.value, { at: Date.now() / 1_000, metrics }].slice(-MOST_SAMPLES)
  return metrics
}
