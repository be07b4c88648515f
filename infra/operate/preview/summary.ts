import { UNKNOWN } from '../../local/engine/properties.ts'
import { FORESEEN, formatCounts } from '../../local/print.ts'
import { corsLines } from './binding-lines.ts'
import { type Line, type Plan, type PlannedStep, SCRIPT_TYPE, type Verdict } from './plan.ts'
import { generationOf, resourceLines } from './resource-lines.ts'
import { ROLLOUT } from './script-lines.ts'
import { codeLines, serviceLines } from './service-lines.ts'
import { objectOf, show } from './values.ts'

/** The plan in sentences, for a reviewer who does not know the program. */
export interface Summary {
  readonly headline: string
  /** False if a deployment would change nothing. */
  readonly isChange: boolean
  readonly lines: readonly Line[]
  /** A sentence for each broken policy, and the names of the others. */
  readonly policies: readonly string[]
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
}

export function summarize(plan: Plan): Summary {
  const lines = plan.errors.length > 0 ? [] : linesOf(plan)
  const isChange = lines.length > 0 || plan.steps.some(({ operation }) => operation !== 'same')
  const { warnings, errors } = plan
  const policies = formatVerdicts(plan.verdicts)
  return { headline: headlineOf(plan, lines, isChange), isChange, lines, policies, warnings, errors }
}

function linesOf(plan: Plan): readonly Line[] {
  const script = plan.steps.find(({ type }) => type === SCRIPT_TYPE)
  const isFirst = script?.operation === 'create'
  if (isFirst) return firstLines(plan)
  const rollout = script?.operation === 'update' ? [ROLLOUT] : []
  return [...plan.steps.flatMap(resourceLines), ...serviceLines(plan, script), ...rollout]
}

const NO_PAGE: Line = {
  topic: 'users',
  text: 'No page in a browser may call the API yet (corsOrigins is empty). Apps outside a browser may.',
}

/** A first deployment: the secrets in one line, and every setting in another. */
function firstLines(plan: Plan): readonly Line[] {
  const secrets = plan.steps.filter(isGenerated)
  const others = plan.steps.filter((step) => !isGenerated(step))
  const origins = objectOf(plan.after.bindings).CORS_ORIGINS
  const host = URL.parse(show(plan.after.url))?.host
  const url: Line = { topic: 'users', text: `The service answers at ${show(plan.after.url)}.` }
  const keys: Line = {
    topic: 'data',
    text: `Secrets are made: ${secrets.map(nameOf).sort().join(', ')}. The encrypted state of the stack has the only copy.`,
  }
  const bindings = Object.entries(objectOf(plan.after.bindings)).filter(
    ([name, value]) => name !== 'VERSION' && isSetting(value),
  )
  const settings = bindings.map(([name, value]) => `${name} ${show(value)}`).join(', ')
  return [
    ...codeLines({}, plan.after),
    url,
    corsLines({ before: '[]', after: origins })[0] ?? NO_PAGE,
    ...others.flatMap(resourceLines).filter(({ text }) => !text.startsWith(`${host} leads to`)),
    keys,
    { topic: 'other', text: `The Worker is bound to: ${settings}.` },
  ]
}

/** Whether the value of a binding is known and says more than that it is secret. */
function isSetting(value: unknown): boolean {
  return value !== '[secret]' && value !== UNKNOWN
}

function isGenerated({ name }: PlannedStep): boolean {
  return generationOf(name) !== undefined
}

function nameOf({ name }: PlannedStep): string {
  const { role = name, number = '' } = generationOf(name) ?? {}
  return `${role.replace('-', ' ')} ${number}`
}

function headlineOf(
  { stack, steps, errors, verdicts }: Plan,
  lines: readonly Line[],
  isChange: boolean,
): string {
  const broken = verdicts.filter(({ result }) => result === 'broken').length
  if (errors.length > 0) return `The stack ${stack} cannot be deployed like this.`
  if (broken > 0) return `The stack ${stack} cannot be deployed like this, because of a policy.`
  if (!isChange) {
    return `Nothing would change in the stack ${stack}: all ${steps.length} resources are as this checkout wants them.`
  }
  const made = steps.filter(({ operation }) => operation === 'create').length
  if (made === steps.length) return `The stack ${stack} would be made: ${made} resources to create.`
  const final = lines.filter(({ isFinal }) => isFinal).length
  const warning =
    final === 0 ? '' : ` ${final} ${final === 1 ? 'thing' : 'things'} could not be undone: see below.`
  return `The stack ${stack} would change: ${formatCounts(steps, FORESEEN)}.${warning}`
}

/** Says which policies looked at the plan, and what they found. */
function formatVerdicts(verdicts: readonly Verdict[]): readonly string[] {
  const of = (result: Verdict['result']) => verdicts.filter((verdict) => verdict.result === result)
  const names = (some: readonly Verdict[]) =>
    some
      .map(({ policy }) => policy)
      .sort()
      .join(', ')
  const [passed, open, broken] = [of('passed'), of('open'), of('broken')]
  const parts = [
    ...broken.map(({ policy, message }) => `BROKEN: ${policy}: ${message}`),
    ...(passed.length > 0 ? [`${passed.length} passed: ${names(passed)}`] : []),
    ...(open.length > 0 ? [`${open.length} decided only by the deployment: ${names(open)}`] : []),
  ]
  return parts.length === 0 ? ['none looked at it'] : parts
}
