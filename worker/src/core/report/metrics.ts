import type { Totals } from './listing.ts'

/** A metric: its name, type, unit if it has one, and description. */
type Metric = readonly [
  total: keyof Totals,
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  unit?: string,
]

/** The metrics of a stack. None has a label for each space: names of spaces may be names of people. */
export const METRICS: readonly Metric[] = [
  ['spaces', 'chronicle_spaces', 'gauge', 'Spaces that hold or held entries.'],
  ['entries', 'chronicle_entries', 'gauge', 'Live entries of all spaces.'],
  ['bytes', 'chronicle_storage_bytes', 'gauge', 'Storage of all spaces.', 'bytes'],
  ['devices', 'chronicle_devices', 'gauge', 'Clients that have read or written.'],
  ['openConflicts', 'chronicle_open_conflicts', 'gauge', 'Conflicts that wait for a decision.'],
  ['nearQuota', 'chronicle_spaces_near_quota', 'gauge', 'Spaces that use nine tenths of a quota, or more.'],
  ['full', 'chronicle_spaces_full', 'gauge', 'Spaces that have used up a quota.'],
  ['upkeepFailing', 'chronicle_spaces_upkeep_failing', 'gauge', 'Spaces whose last upkeep failed.'],
  ['changes', 'chronicle_changes', 'counter', 'Versions that spaces have stored.'],
  ['conflicts', 'chronicle_conflicts', 'counter', 'Conflicts that have arisen.'],
  ['reports', 'chronicle_reports', 'counter', 'Reports of spaces to the registry.'],
  ['defects', 'chronicle_defects', 'counter', 'Unexpected errors of requests, sockets and alarms.'],
]

/** The metrics as OpenMetrics text, version 1.0.0. */
export function metricsText(
  totals: Totals,
  {
    VERSION,
    STACK,
    ENVIRONMENT,
  }: { readonly VERSION: string; readonly STACK: string; readonly ENVIRONMENT: string },
): string {
  const labels = Object.entries({ version: VERSION, stack: STACK, environment: ENVIRONMENT })
  const info = labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')
  const lines = METRICS.flatMap(([total, name, type, help, unit]) => [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    `${name}${type === 'counter' ? '_total' : ''} ${totals[total]}`,
  ])
  return [
    '# TYPE chronicle_build info',
    '# HELP chronicle_build The deployed version.',
    `chronicle_build_info{${info}} 1`,
    ...lines,
    '# EOF\n',
  ].join('\n')
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}
