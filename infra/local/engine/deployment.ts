import { saveAccount } from '../cloud/account.ts'
import { applyGoal, checkRemoval, clear, previewGoal, removeResource } from './apply.ts'
import { type Diff, diffOf } from './diff.ts'
import { type Goal, STACK_TYPE, toResource } from './goal.ts'
import type { Properties } from './properties.ts'
import { type Cloud, invokeFunction } from './providers.ts'
import { type Resource, type State, saveState } from './state.ts'

/** The engine's own function that reads a resource which this run has registered. */
const GET_RESOURCE = 'pulumi:pulumi:getResource'

/** One line of the result: a resource with its operation. */
export interface Step extends Diff {
  readonly resource: Resource
}

/** One `up` or preview in progress. The engine calls a method for each request of the running program. */
export interface Deployment {
  readonly steps: readonly Step[]
  /** All registered resources in their new state, as a policy pack sees them. Resources that were only read are not among them. */
  readonly resources: readonly Resource[]
  /** The outputs of the program, complete once it has ended. */
  readonly outputs: Properties
  register(goal: Goal): Resource
  setOutputs(urn: string, outputs: Properties): void
  invoke(token: string, args: Properties): Properties
  /** Deletes the resources that the program did not register any more, and saves the new outputs. */
  finish(): void
}

export interface DeploymentOptions {
  readonly project: string
  readonly stack: string
  readonly state: State
  readonly cloud: Cloud
  /** True for a preview, which changes nothing. */
  readonly dryRun: boolean
  readonly onStep: (step: Step) => void
}

/** Saves state and account after every step, so that the next run continues a failed one. */
export function deployment(options: DeploymentOptions): Deployment {
  const { cloud, state, dryRun } = options
  const before = new Map(state.resources.map((resource) => [resource.urn, resource]))
  const after = new Map<string, Resource>()
  const replaced: Resource[] = []
  const steps: Step[] = []

  function save(outputs: Properties): void {
    if (dryRun) return
    const unseen = [...before.values()].filter(({ urn }) => !after.has(urn))
    saveAccount(cloud.folder, cloud.account)
    saveState(cloud.folder, { resources: [...after.values(), ...unseen], outputs })
  }

  function addStep(diff: Diff, resource: Resource): Resource {
    const step = { ...diff, resource }
    steps.push(step)
    options.onStep(step)
    return resource
  }

  function remove(resource: Resource): void {
    checkRemoval(resource)
    if (!dryRun) removeResource(cloud, resource)
  }

  return {
    steps,
    get resources() {
      return [...after.values()]
    },
    get outputs() {
      return [...after.values()].find(({ type }) => type === STACK_TYPE)?.outputs ?? {}
    },
    register(goal) {
      const wanted = toResource(goal, options)
      const old = takeOld(before, wanted.urn, goal.aliases)
      if (after.has(wanted.urn)) throw new Error(`two resources have the URN ${wanted.urn}`)
      const { diff, ...made } = goal.custom
        ? (dryRun ? previewGoal : applyGoal)(cloud, goal, old)
        : { diff: diffOf(old, goal.inputs, []), outputs: old?.outputs ?? {} }
      if (old && diff.operation === 'replace' && !goal.deleteBeforeReplace) replaced.push(old)
      const resource = { ...wanted, ...made }
      after.set(resource.urn, resource)
      // Keeps the outputs of the last successful run if this one fails, as the CLI does since 3.259.
      save(state.outputs)
      return addStep(diff, resource)
    },
    setOutputs(urn, outputs) {
      const resource = after.get(urn)
      if (resource) after.set(urn, { ...resource, outputs })
    },
    invoke(token, args) {
      const inputs = clear(args)
      return token === GET_RESOURCE
        ? registered(after, String(inputs.urn))
        : invokeFunction(cloud, token, inputs)
    },
    finish() {
      for (const old of replaced.toReversed()) remove(old)
      for (const old of [...before.values()].toReversed().filter(({ urn }) => !after.has(urn))) {
        remove(old)
        before.delete(old.urn)
        addStep({ operation: 'delete', changes: [] }, old)
      }
      save(this.outputs)
    },
  }
}

/** Finds a resource of the last run by its URN or a former one, and gives it the URN. */
function takeOld(
  before: Map<string, Resource>,
  urn: string,
  aliases: readonly string[],
): Resource | undefined {
  const former = [urn, ...aliases].find((name) => before.has(name)) ?? urn
  const old = before.get(former)
  if (!old || former === urn) return old
  before.delete(former)
  before.set(urn, { ...old, urn })
  return before.get(urn)
}

/** Answers for a component that has no new outputs yet with those of the last run, as the engine does. */
function registered(after: ReadonlyMap<string, Resource>, urn: string): Properties {
  const resource = after.get(urn)
  if (!resource) throw new Error(`unknown resource ${urn}`)
  return { urn, id: resource.id, state: resource.outputs }
}
