import { saveAccount } from './account.ts'
import { type Diff, diffOf } from './diff.ts'
import { hasSecret, type Properties, reveal, secretOf } from './properties.ts'
import { type Cloud, invokeFunction, PROVIDERS, type Provider } from './providers.ts'
import { type Resource, type State, saveState } from './state.ts'

/** A resource that the program wants. */
export interface Goal {
  readonly type: string
  readonly name: string
  readonly parent: string
  readonly custom: boolean
  readonly inputs: Properties
  readonly protect: boolean
  readonly retainOnDelete: boolean
  readonly deleteBeforeReplace: boolean
  readonly dependencies: readonly string[]
  readonly secretOutputs: readonly string[]
}

/** One line of the result: a resource and what was done to it. */
export interface Step extends Diff {
  readonly resource: Resource
}

/** One `up` in progress: what the engine does with each request of the running program. */
export interface Deployment {
  readonly steps: readonly Step[]
  register(goal: Goal): Resource
  setOutputs(urn: string, outputs: Properties): void
  readStack(goal: Pick<Goal, 'name' | 'parent'>): Resource
  invoke(token: string, args: Properties): Properties
  /** Deletes what the program did not want any more, and keeps the new outputs. */
  finish(): void
}

export interface DeploymentOptions {
  readonly project: string
  readonly stack: string
  readonly state: State
  readonly cloud: Cloud
  readonly onStep: (step: Step) => void
}

const STACK_TYPE = 'pulumi:pulumi:Stack'

export function deployment(options: DeploymentOptions): Deployment {
  const { cloud, state } = options
  const before = new Map(state.resources.map((resource) => [resource.urn, resource]))
  const after = new Map<string, Resource>()
  const replaced: Resource[] = []
  const steps: Step[] = []
  let outputs: Properties = {}

  function save(): void {
    const left = [...before.values()].filter(({ urn }) => !after.has(urn))
    saveAccount(cloud.folder, cloud.account)
    saveState(cloud.folder, { resources: [...after.values(), ...left], outputs })
  }

  function record(step: Step): Resource {
    steps.push(step)
    options.onStep(step)
    return step.resource
  }

  function register(goal: Goal): Resource {
    const urn = urnOf(goal, options)
    const old = before.get(urn)
    if (after.has(urn)) throw new Error(`two resources are called ${urn}`)
    const provider = goal.custom ? providerOf(goal.type) : undefined
    provider?.check?.(cloud, clear(goal.inputs))
    const diff = diffOf(old, goal.inputs, provider?.replaceOn ?? [])
    const base = resourceOf(goal, urn)
    const resource = provider ? { ...base, ...apply(provider, diff, goal, old) } : base
    after.set(urn, resource)
    save()
    return record({ ...diff, resource })
  }

  function apply(
    provider: Provider,
    diff: Diff,
    goal: Goal,
    old: Resource | undefined,
  ): Pick<Resource, 'id' | 'outputs'> {
    const inputs = clear(goal.inputs)
    if (old && diff.operation === 'same') return { id: old.id, outputs: { ...old.outputs, ...goal.inputs } }
    if (old && diff.operation === 'update') {
      const updated = provider.update?.(cloud, inputs)
      return { id: old.id, outputs: { ...old.outputs, ...goal.inputs, ...updated } }
    }
    if (old?.protect)
      throw new Error(`${old.name} is protected and would be replaced (${diff.changes.join(', ')})`)
    if (old && goal.deleteBeforeReplace) provider.delete(cloud, old.id, clear(old.inputs))
    else if (old) replaced.push(old)
    const created = provider.create(cloud, inputs)
    return { id: created.id, outputs: { ...goal.inputs, ...asSecret(created.outputs, goal.secretOutputs) } }
  }

  function remove(resource: Resource): void {
    if (resource.protect)
      throw new Error(`${resource.name} is protected and would be deleted; unprotect it first`)
    if (resource.custom && !resource.retainOnDelete && PROVIDERS[resource.type]) {
      providerOf(resource.type).delete(cloud, resource.id, clear(resource.inputs))
    }
  }

  function finish(): void {
    for (const old of replaced.toReversed()) remove(old)
    for (const old of [...before.values()].filter(({ urn }) => !after.has(urn)).toReversed()) {
      remove(old)
      before.delete(old.urn)
      record({ operation: 'delete', changes: [], resource: old })
    }
    outputs = [...after.values()].find(({ type }) => type === STACK_TYPE)?.outputs ?? {}
    save()
  }

  return {
    steps,
    register,
    finish,
    setOutputs(urn, given) {
      const resource = after.get(urn)
      if (resource) after.set(urn, { ...resource, outputs: given })
    },
    readStack({ name, parent }) {
      const goal = { name, parent, type: 'pulumi:pulumi:StackReference' }
      const secretOutputNames = Object.keys(state.outputs).filter((key) => hasSecret(state.outputs[key]))
      const found = { name, outputs: state.outputs, secretOutputNames }
      const resource = { ...resourceOf({ ...READ, ...goal }, urnOf(goal, options)), id: name, outputs: found }
      return record({ operation: 'read', changes: [], resource })
    },
    invoke: (token, args) => invokeFunction(cloud, token, clear(args)),
  }
}

const READ: Omit<Goal, 'type' | 'name' | 'parent'> = {
  custom: true,
  inputs: {},
  protect: false,
  retainOnDelete: false,
  deleteBeforeReplace: false,
  dependencies: [],
  secretOutputs: [],
}

function providerOf(type: string): Provider {
  const provider = PROVIDERS[type]
  if (!provider) throw new Error(`the embedded cloud has no ${type}: add it to infra/local/providers.ts`)
  return provider
}

function resourceOf(goal: Goal, urn: string): Resource {
  const { type, name, parent, custom, protect, retainOnDelete, dependencies, inputs } = goal
  return {
    urn,
    type,
    name,
    parent,
    custom,
    id: '',
    protect,
    retainOnDelete,
    dependencies,
    inputs,
    outputs: {},
  }
}

function urnOf(
  goal: Pick<Goal, 'type' | 'name' | 'parent'>,
  names: { project: string; stack: string },
): string {
  const parentType = goal.parent.split('::')[2]
  const type = parentType && parentType !== STACK_TYPE ? `${parentType}$${goal.type}` : goal.type
  return `urn:pulumi:${names.stack}::${names.project}::${type}::${goal.name}`
}

function asSecret(outputs: Properties, secretOutputs: readonly string[]): Properties {
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]) => [
      key,
      secretOutputs.includes(key) ? secretOf(value) : value,
    ]),
  )
}

function clear(properties: Properties): Properties {
  // An object of properties stays one; only the secrets inside it are opened.
  return reveal(properties) as Properties
}
