const SAMPLE = /^(\w+)(?:\{.*\})? (\S+)$/

/** Samples by their names. */
export type Metrics = ReadonlyMap<string, number>

/** Reads the samples of `GET /api/metrics`, which has one of each name. */
export function parseMetrics(text: string): Metrics {
  const samples = text.split('\n').map((line) => SAMPLE.exec(line))
  return new Map(samples.flatMap((sample) => (sample ? [[sample[1] ?? '', Number(sample[2])] as const] : [])))
}
