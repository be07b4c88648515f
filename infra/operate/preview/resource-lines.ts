import { formatChange } from '../../local/print.ts'
import { type Line, type PlannedStep, SCRIPT_TYPE } from './plan.ts'
import { otherLine, scriptLines } from './script-lines.ts'
import { show } from './values.ts'

type Describe = (step: PlannedStep) => readonly Line[]

/** The sentences about the resources of each type. */
const DESCRIBE: Readonly<Record<string, Describe>> = {
  [SCRIPT_TYPE]: scriptLines,
  'cloudflare:index/workersKvNamespace:WorkersKvNamespace': namespaceLines,
  'random:index/randomBytes:RandomBytes': secretLines,
  'cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain': switchLines,
  'cloudflare:index/workersCustomDomain:WorkersCustomDomain': addressLines('hostname'),
  'cloudflare:index/workersRoute:WorkersRoute': addressLines('pattern'),
  'cloudflare:index/dnsRecord:DnsRecord': recordLines,
}

/** Says what happens to a resource. A resource that no sentence describes is shown as the engine sees it. */
export function resourceLines(step: PlannedStep): readonly Line[] {
  if (step.operation === 'same') return []
  return DESCRIBE[step.type]?.(step) ?? unknownLines(step)
}

function unknownLines({ type, name, operation, changes }: PlannedStep): readonly Line[] {
  if (/^(chronicle|pulumi):|^chronicle-sync:/.test(type))
    return changes.map((change) => otherLine(name, change))
  const details = changes.map(formatChange).join(', ')
  const text = `${operation} ${type.replace(/\/[^:]*/, '')} ${name}${details && `: ${details}`}`
  return [{ topic: 'other', text }]
}

function namespaceLines(step: PlannedStep): readonly Line[] {
  const { operation, inputs, isRetained, changes } = step
  const title = show(inputs.title)
  if (operation === 'create') {
    return [
      { topic: 'data', text: `The KV namespace ${title} is created, for API tokens and configuration.` },
    ]
  }
  if (operation === 'update') return unknownLines(step)
  const forced = changes.filter(({ replaces }) => replaces).map(formatChange)
  const lost = 'all API tokens and the configuration are lost, so every client needs a new token'
  if (operation === 'replace') {
    const text = `The KV namespace ${title} is replaced by an empty one (${forced.join(', ')}): ${lost}.`
    return [{ topic: 'data', text, isFinal: true }]
  }
  if (isRetained)
    return [{ topic: 'data', text: `The KV namespace ${title} stays in the account, without this stack.` }]
  return [{ topic: 'data', text: `The KV namespace ${title} is deleted: ${lost}.`, isFinal: true }]
}

interface Generation {
  readonly role: string
  readonly number: string
}

/** Reads the role and the generation from a name like `chronicle-sync-session-key-2`. */
export function generationOf(name: string): Generation | undefined {
  const [, role, number = '1'] = /-(admin-token|master-key|session-key)(?:-(\d+))?$/.exec(name) ?? []
  return role === undefined ? undefined : { role, number }
}

function secretLines(step: PlannedStep): readonly Line[] {
  const generation = generationOf(step.name)
  const sentences = generation && SECRETS[`${step.operation} ${generation.role}`]
  return sentences ? [sentences(generation.number)] : unknownLines(step)
}

const SECRETS: Readonly<Record<string, (number: string) => Line>> = {
  'create admin-token': (n) => ({
    topic: 'users',
    text: `Operators: admin token ${n} becomes valid, beside the earlier ones that adminTokens still lists.`,
  }),
  'delete admin-token': (n) => ({
    topic: 'users',
    text: `Operators: admin token ${n} stops working. Scripts and people that use it need a newer one.`,
  }),
  'create session-key': (n) => ({
    topic: 'users',
    text: `New sessions are signed with session key ${n}. Open sessions stay valid while sessionKeys lists their key.`,
  }),
  'delete session-key': (n) => ({
    topic: 'users',
    text: `All sessions that session key ${n} signed end. Their clients open new ones with the same API token.`,
  }),
  'create master-key': (n) => ({
    topic: 'data',
    text: `New data is sealed with master key ${n}. Older data stays readable with the earlier keys until a sweep has resealed it.`,
  }),
  'delete master-key': (n) => ({
    topic: 'data',
    text: `Master key ${n} is destroyed. By sweptMasterKey, a sweep has found no data that it seals.`,
    isFinal: true,
  }),
}

function switchLines(step: PlannedStep): readonly Line[] {
  const { operation, inputs, changes } = step
  const isSwitched = operation === 'update' && changes.every(({ path }) => path === 'enabled')
  if (operation === 'create' && inputs.enabled !== true) return []
  if (operation !== 'create' && !isSwitched) return unknownLines(step)
  const name = show(inputs.scriptName)
  const text =
    inputs.enabled === true
      ? `The address of ${name} on workers.dev leads to the service.`
      : `The address of ${name} on workers.dev no longer leads to the service: clients that use it are cut off.`
  return [{ topic: 'users', text }]
}

/** Describes a resource that leads an address to the service. `key` is the input with the address. */
function addressLines(key: string): Describe {
  return (step) => {
    const { operation, inputs, changes } = step
    const before = changes.find(({ path }) => path === key)?.before
    const opened = `${show(inputs[key])} leads to the service.`
    const closed = (address: unknown) =>
      `${show(address)} no longer leads to the service: clients that use it are cut off.`
    if (operation === 'create') return [{ topic: 'users', text: opened }]
    if (operation === 'delete') return [{ topic: 'users', text: closed(inputs[key]) }]
    if (before === undefined) return unknownLines(step)
    return [
      { topic: 'users', text: opened },
      { topic: 'users', text: closed(before) },
    ]
  }
}

function recordLines(step: PlannedStep): readonly Line[] {
  const name = show(step.inputs.name)
  if (step.operation === 'create') {
    return [
      { topic: 'users', text: `A proxied DNS record for ${name} is created, so that its host resolves.` },
    ]
  }
  if (step.operation !== 'delete') return unknownLines(step)
  return [
    { topic: 'users', text: `The DNS record for ${name} is deleted, so its host may no longer resolve.` },
  ]
}
