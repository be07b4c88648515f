import type { MigrationStep, Migrations } from '../../component/migrations.ts'
import type { Change } from '../../local/engine/diff.ts'
import { isObject } from '../../local/engine/properties.ts'
import { formatChange } from '../../local/print.ts'
import type { Line, PlannedStep } from './plan.ts'
import { show, showChange } from './values.ts'

/** Says what happens to the script and to its Durable Objects. */
export function scriptLines(step: PlannedStep): readonly Line[] {
  const { operation, changes, inputs, name } = step
  const script = show(inputs.scriptName)
  if (operation === 'delete') return [deletionLine(step)]
  if (operation === 'create')
    return [...creationLines(script, inputs.force === true), ...migrationLines(step)]
  if (operation === 'replace') {
    const forced = changes.filter(({ replaces }) => replaces).map(formatChange)
    const text = `The Worker is replaced by a new one, ${script}, whose spaces are empty (${forced.join(', ')}).`
    return [{ topic: 'data', text, isFinal: true }]
  }
  const lines = changes.flatMap((change) => changeLines(change) ?? [otherLine(name, change)])
  return [...migrationLines(step), ...lines]
}

/** A change that no sentence describes, as the engine shows it. */
export function otherLine(name: string, change: Change): Line {
  return { topic: 'other', text: `${name}: ${formatChange(change)}` }
}

/** Holds for every upload: objects move to the new version one by one. */
export const ROLLOUT: Line = {
  topic: 'users',
  text: 'A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.',
}

function creationLines(script: string, isLoose: boolean): readonly Line[] {
  const text = `A new Worker, ${script}. Cloudflare bills its use: requests, rows written, stored bytes. Nothing here has a fixed price.`
  return [
    { topic: 'cost', text },
    { topic: 'data', text: isLoose ? LOOSE : KEPT },
  ]
}

function deletionLine({ inputs, isRetained }: PlannedStep): Line {
  const script = show(inputs.scriptName)
  if (isRetained)
    return { topic: 'data', text: `The Worker ${script} stays in the account, without this stack.` }
  const text = `The Worker ${script} is deleted, and with it all spaces and everything in them.`
  return { topic: 'data', text, isFinal: true }
}

/** The sentences about one changed input; undefined if nobody has written one. */
function changeLines({ path, before, after }: Change): readonly Line[] | undefined {
  if (/^(bindings|migrations|contentFile|contentSha256)\b/.test(path)) return []
  if (path === 'compatibilityDate') {
    return [{ topic: 'code', text: `The runtime behaves as of another date: ${showChange(before, after)}.` }]
  }
  if (path.startsWith('compatibilityFlags')) {
    return [
      { topic: 'code', text: `Another compatibility flag of the runtime: ${showChange(before, after)}.` },
    ]
  }
  if (path === 'observability.headSamplingRate') {
    const text = `The share of requests whose logs are kept: ${showChange(before, after)}. Each kept log event is billed; those of the others are lost, errors included.`
    return [{ topic: 'cost', text }]
  }
  if (path === 'observability.traces.headSamplingRate') {
    const text = `The share of requests that are traced: ${showChange(before, after)}. Each span is billed like a log event, and the traces hold URLs, and so keys of entries.`
    return [{ topic: 'cost', text }]
  }
  if (path === 'observability.traces.enabled') return []
  if (/^observability\.(logs|traces)\.destinations/.test(path)) {
    const kind = path.includes('.logs.') ? 'logs' : 'traces'
    return [{ topic: 'users', text: `Another destination for ${kind}: ${showChange(before, after)}.` }]
  }
  if (path.startsWith('assets')) {
    return [{ topic: 'code', text: `The rules for static files, ${path}: ${showChange(before, after)}.` }]
  }
  if (path === 'force') return [{ topic: 'data', text: after === undefined ? PROTECTED : UNPROTECTED }]
  return undefined
}

const LOOSE = 'The stack is not protected: `pulumi destroy` deletes it with all its data.'
const KEPT = 'The Worker with its objects, the namespace and the keys are protected from being destroyed.'
const PROTECTED =
  'From then on the Worker with its objects, the namespace and the keys are protected from being destroyed.'
const UNPROTECTED =
  'Protection ends: from then on `pulumi destroy` may delete the Worker with all data, the namespace and the keys.'

/** Says what the migrations of this upload do to the classes. */
function migrationLines({ operation, changes, inputs }: PlannedStep): readonly Line[] {
  const isChanged = operation === 'create' || changes.some(({ path }) => /^migrations\b/.test(path))
  if (!isChanged) return []
  // An unknown value, like none, means that no migration is pending: see script.ts, which creates this input.
  const migrations = isObject(inputs.migrations) ? (inputs.migrations as unknown as Migrations) : undefined
  if (migrations === undefined) {
    const text =
      'No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.'
    return [{ topic: 'data', text }]
  }
  const lines = migrations.steps.flatMap((step) => stepLines(step))
  const { oldTag, newTag } = migrations
  if (oldTag === undefined) return lines
  const text = `The migration tag moves: ${oldTag} -> ${newTag}. A checkout without ${newTag} can no longer be deployed, so a rollback past it is refused.`
  return [...lines, { topic: 'data', text, isFinal: true }]
}

function stepLines(step: MigrationStep): readonly Line[] {
  const { newSqliteClasses = [], newClasses = [], renamedClasses = [], deletedClasses = [] } = step
  return [
    ...newSqliteClasses.map((name) =>
      dataLine(`The Durable Object class ${name} is created, empty, with SQLite storage.`),
    ),
    ...newClasses.map((name) =>
      dataLine(
        `The Durable Object class ${name} is created, empty, with key-value storage, which needs a paid plan.`,
      ),
    ),
    ...renamedClasses.map(({ from, to }) =>
      dataLine(
        `The Durable Object class ${from} is renamed to ${to}. Its objects keep their ids and data. Only another migration could rename it back.`,
      ),
    ),
    ...deletedClasses.map(
      (name): Line => ({
        topic: 'data',
        text: `The Durable Object class ${name} is DELETED with all its objects and their data. Only a backup made before brings them back.`,
        isFinal: true,
      }),
    ),
  ]
}

function dataLine(text: string): Line {
  return { topic: 'data', text }
}
