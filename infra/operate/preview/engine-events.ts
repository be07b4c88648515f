import { z } from 'zod'
import { type Change, changesBetween, type Operation } from '../../local/engine/diff.ts'
import { STACK_TYPE } from '../../local/engine/goal.ts'
import { isSecret, secretOf } from '../../local/engine/properties.ts'
import { lastOutputs, type Plan, type PlannedStep, SERVICE_TYPE, type Verdict } from './plan.ts'

const Properties = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((found) => found ?? {})
const State = z.object({
  inputs: Properties,
  outputs: Properties,
  retainOnDelete: z.boolean().default(false),
})
const Metadata = z.object({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  old: State.nullish(),
  new: State.nullish(),
  keys: z.array(z.string()).nullish(),
  detailedDiff: z.record(z.string(), z.unknown()).nullish(),
})
const Names = z.array(z.string()).nullish()
const Event = z.object({
  resourcePreEvent: z.object({ metadata: Metadata }).optional(),
  resOutputsEvent: z.object({ metadata: Metadata }).optional(),
  diagnosticEvent: z
    .object({ message: z.string(), severity: z.string(), ephemeral: z.boolean().default(false) })
    .optional(),
  policyEvent: z
    .object({ policyName: z.string(), message: z.string(), enforcementLevel: z.string() })
    .optional(),
  policyAnalyzeStackSummaryEvent: z.object({ passed: Names, failed: Names }).optional(),
})
type Event = z.infer<typeof Event>
type Metadata = z.infer<typeof Metadata>

type Events = Omit<Plan, 'stack' | 'details'>

/** Reads the CLI's log of a preview: one JSON object a line, with every secret replaced. */
export function readEvents(log: string): Events {
  const events = log
    .split('\n')
    // A CLI that is killed may leave half a line.
    .slice(0, -1)
    .map((line) => Event.parse(JSON.parse(line)))
  const ended = events.map(({ resOutputsEvent }) => resOutputsEvent?.metadata)
  const service = ended.findLast((metadata) => metadata?.type === SERVICE_TYPE)
  const stack = ended.findLast((metadata) => metadata?.type === STACK_TYPE)
  return {
    steps: events.flatMap(({ resourcePreEvent }) => stepOf(resourcePreEvent?.metadata) ?? []),
    before: lastOutputs(service?.old?.outputs ?? {}, stack?.old?.outputs ?? {}),
    after: service?.new?.outputs ?? {},
    verdicts: verdictsOf(events),
    warnings: messagesOf(events, 'warning'),
    errors: messagesOf(events, 'error').filter((message) => message !== 'preview failed'),
  }
}

/** The operations that people know. A replacement has more than one step, of which one says so. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: 'create',
  update: 'update',
  replace: 'replace',
  delete: 'delete',
  same: 'same',
}

function stepOf(metadata: Metadata | undefined): PlannedStep | undefined {
  const operation = OPERATIONS[metadata?.op ?? '']
  if (metadata === undefined || operation === undefined || metadata.type.startsWith('pulumi:providers:'))
    return undefined
  const { type, urn, old, new: wanted } = metadata
  const { inputs = {}, retainOnDelete: isRetained = false } = wanted ?? old ?? {}
  return {
    type,
    operation,
    name: urn.split('::').at(-1) ?? urn,
    inputs,
    isRetained,
    changes: changesOf(metadata, operation),
  }
}

/**
 * The changed inputs with both values. The log has no values of secrets, so a property with a secret inside, like the
 * bindings, is equal before and after. The provider's own comparison says that it changes.
 */
function changesOf(
  { old, new: wanted, keys, detailedDiff }: Metadata,
  operation: Operation,
): readonly Change[] {
  if (operation === 'same' || !old || !wanted) return []
  const changes = changesBetween(old.inputs, wanted.inputs, keys ?? [])
  const seen = changes.map(({ path }) => topOf(path))
  const hidden = [...new Set(Object.keys(detailedDiff ?? {}).map(topOf))].filter(
    (key) => !seen.includes(key) && isSecret(wanted.inputs[key]),
  )
  const secret = secretOf('')
  return [...changes, ...hidden.map((path) => ({ path, before: secret, after: secret, replaces: false }))]
}

function topOf(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path
}

function verdictsOf(events: readonly Event[]): readonly Verdict[] {
  const found = events.flatMap(({ policyEvent }) => (policyEvent ? [toVerdict(policyEvent)] : []))
  const passed = events.flatMap(({ policyAnalyzeStackSummaryEvent: summary }) => summary?.passed ?? [])
  const silent = [...new Set(passed)].filter((name) => !found.some(({ policy }) => policy === name))
  return [...found, ...silent.map((policy): Verdict => ({ policy, result: 'passed', message: '' }))]
}

function toVerdict({
  policyName: policy,
  message,
  enforcementLevel,
}: NonNullable<Event['policyEvent']>): Verdict {
  const lines = plain(message).trim().split('\n')
  return { policy, message: lines.at(-1) ?? '', result: enforcementLevel === 'mandatory' ? 'broken' : 'open' }
}

function messagesOf(events: readonly Event[], severity: string): readonly string[] {
  const found = events.flatMap(({ diagnosticEvent }) => (diagnosticEvent ? [diagnosticEvent] : []))
  const messages = found.filter((event) => event.severity === severity && !event.ephemeral)
  return messages.map(({ message }) =>
    plain(message)
      .trim()
      .replaceAll(/\s*\n\s*/g, ' '),
  )
}

/** Removes the directives by which the engine colours its messages, like `<{%reset%}>`. */
function plain(text: string): string {
  return text.replaceAll(/<\{%.*?%\}>/g, '')
}
