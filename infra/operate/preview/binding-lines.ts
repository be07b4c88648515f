import type { Migrations } from '../../component/migrations.ts'
import { changesBetween } from '../../local/engine/diff.ts'
import { isSecret } from '../../local/engine/properties.ts'
import type { Line, Plan, PlannedStep } from './plan.ts'
import { listOf, objectOf, show, showChange } from './values.ts'

/** Says what changes in the bindings of a service that was deployed before. */
export function bindingLines(
  before: Plan['before'],
  after: Plan['before'],
  script: PlannedStep | undefined,
): readonly Line[] {
  const [old, now] = [objectOf(before.bindings), objectOf(after.bindings)]
  // Stacks of the releases before the component have a list, or nothing.
  if (Object.keys(old).length === 0) return Object.keys(now).length === 0 ? [] : [INCOMPARABLE]
  const changes = changesBetween(old, now)
  const lines = changes.flatMap(({ path, before, after }) => bindingLine(path, { before, after, script }))
  const named = changes.map(({ path }) => path)
  return [...lines, ...secretLines(script, named)]
}

const INCOMPARABLE: Line = {
  topic: 'other',
  text: 'The bindings are not compared, because the last release did not list them by name: a change of limits, origins or other settings is not shown here.',
}

/** Names the secrets whose value changes although no generation is added or removed. */
function secretLines(script: PlannedStep | undefined, named: readonly string[]): readonly Line[] {
  const paths = (script?.changes ?? []).filter(({ before }) => isSecret(before)).map(({ path }) => path)
  const names = paths.flatMap((path) => /^bindings\.(\w+)\.text$/.exec(path)?.[1] ?? [])
  const silent = names.filter((name) => !named.includes(name) && !GENERATED.includes(name))
  return silent.map((name) => ({ topic: 'other', text: `The secret ${name} gets another value.` }))
}

/** Secrets whose generations are resources with sentences of their own. */
const GENERATED = ['ADMIN_TOKEN', 'MASTER_KEY', 'SESSION_KEY']

interface BindingChange {
  readonly before: unknown
  readonly after: unknown
  readonly script: PlannedStep | undefined
}

/** The sentences about the bindings of the declaration by name. */
const BINDINGS: Readonly<Record<string, (change: BindingChange) => Line[]>> = {
  VERSION: () => [],
  CORS_ORIGINS: corsLines,
  SYNC_LIMIT: ({ before, after }) => [
    users(`Sync requests of a caller at one location: ${showChange(before, after)}. Further ones get 429.`),
  ],
  AUTH_LIMIT: ({ before, after }) => [
    users(
      `Tokens looked up for an address that failed too often: ${showChange(before, after)}. Others get 429.`,
    ),
  ],
  FAILURE_LIMIT: ({ before, after }) => [
    users(`Failed attempts to authenticate of an address at one location: ${showChange(before, after)}.`),
  ],
  ENVIRONMENT: ({ before, after }) => [
    users(
      `The environment: ${showChange(before, after)}. All sessions end, and the API tokens of the other environment are refused.`,
    ),
  ],
  JURISDICTION: ({ before, after }) => [
    {
      topic: 'data',
      text: `Spaces are looked up under another jurisdiction: ${showChange(before, after)}. All data stored so far is not found until this is taken back.`,
    },
  ],
  ENTRY_NAMES: ({ before, after }) => [
    {
      topic: 'data',
      text: `The names of keys in the rows of new spaces: ${showChange(before, after)}. Spaces that hold data stay as they are.`,
    },
  ],
  ANALYTICS: ({ before, after }) => [
    {
      topic: 'cost',
      text: `The dataset of the metrics: ${showChange(before, after)}. Queries of the old one see nothing new.`,
    },
  ],
}

function bindingLine(name: string, change: BindingChange): readonly Line[] {
  const { before, after } = change
  const sentences = BINDINGS[name]
  if (sentences && before !== undefined && after !== undefined) return sentences(change)
  return [classLine(name, change) ?? { topic: 'other', text: bindingText(name, change) }]
}

function bindingText(name: string, { before, after }: BindingChange): string {
  if (before === undefined) return `A new binding: ${name} is ${show(after)}.`
  return after === undefined
    ? `A binding less: ${name} was ${show(before)}.`
    : `The binding ${name}: ${showChange(before, after)}.`
}

/** Says which pages may call the API from then on, and which may no longer. */
export function corsLines({ before, after }: Pick<BindingChange, 'before' | 'after'>): Line[] {
  const [old, now] = [listOf(before), listOf(after)]
  const added = now.filter((origin) => !old.includes(origin))
  const removed = old.filter((origin) => !now.includes(origin))
  return [
    ...(added.length > 0 ? [users(`Pages of ${added.join(', ')} may call the API (CORS).`)] : []),
    ...(removed.length > 0
      ? [users(`Pages of ${removed.join(', ')} may no longer call the API (CORS).`)]
      : []),
  ]
}

function users(text: string): Line {
  return { topic: 'users', text }
}

/** Explains a binding to a Durable Object class by the migrations of the same upload. */
function classLine(name: string, { before, after, script }: BindingChange): Line | undefined {
  // script.ts creates this input.
  const { steps = [] } = (script?.inputs.migrations ?? {}) as Partial<Migrations>
  const renamed = steps.flatMap(({ renamedClasses = [] }) => renamedClasses)
  if (renamed.some(({ from, to }) => from === before && to === after)) {
    return {
      topic: 'data',
      text: `The binding ${name} follows the renamed class: ${showChange(before, after)}.`,
    }
  }
  const made = steps.flatMap(({ newSqliteClasses = [] }) => newSqliteClasses)
  if (before === undefined && made.some((name) => name === after)) {
    return { topic: 'data', text: `A new binding: ${name} leads to the objects of the class ${show(after)}.` }
  }
  if (name !== 'CHRONICLE') return undefined
  const text = `The binding ${name} leads to another class: ${showChange(before, after)}. The spaces stored so far are not found until this is taken back.`
  return { topic: 'data', text }
}
