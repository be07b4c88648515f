import { saveAccount } from '../cloud/account.ts'
import { applyGoal, checkRemoval, clear, previewGoal, removeResource } from './apply.ts'
import { type Diff, diffOf } from './diff.ts'
import { type Goal, STACK_TYPE, toResource } from './goal.ts'
import { hasSecret, type Properties } from './properties.ts'
import { type Cloud, invokeFunction } from './providers.ts'
import { type Resource, type State, saveState } from './state.ts'

/** One line of the result: a resource and what was done to it. */
export interface Step extends Diff {
  readonly resource: Resource
}

/** One `up` or preview in progress: what the engine does with each request of the running program. */
export interface Deployment {
  readonly steps: readonly Step[]
  /** All that was registered, as it is then: a policy pack sees these, and nothing that was only read. */
  readonly resources: readonly Resource[]
  /** What the program puts out; known once it has ended. */
  readonly outputs: Properties
  register(goal: Goal): Resource
  setOutputs(urn: string, outputs: Properties): void
  /** The outputs that the last good run left behind, as a StackReference to the stack itself sees them. */
  readStack(goal: Goal): Resource
  invoke(token: string, args: Properties): Properties
  /** Deletes what the program did not want any more, and keeps the new outputs. */
  finish(): void
}

export interface DeploymentOptions {
  readonly project: string
  readonly stack: string
  readonly state: State
  readonly cloud: Cloud
  /** A preview: says what would be done, and does none of it. */
  readonly dryRun: boolean
  readonly onStep: (step: Step) => void
}

/** State and account are saved after every step, so that a run that fails half way is continued by the next. */
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

  function record(diff: Diff, resource: Resource): Resource {
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
      const old = before.get(wanted.urn)
      if (after.has(wanted.urn)) throw new Error(`two resources are called ${wanted.urn}`)
      const { diff, ...made } = goal.custom
        ? (dryRun ? previewGoal : applyGoal)(cloud, goal, old)
        : { diff: diffOf(old, goal.inputs, []) }
      if (old && diff.operation === 'replace' && !goal.deleteBeforeReplace) replaced.push(old)
      const resource = { ...wanted, ...made }
      after.set(resource.urn, resource)
      // A run that fails leaves the outputs of the last good one, as the CLI does since 3.259.
      save(state.outputs)
      return record(diff, resource)
    },
    setOutputs(urn, outputs) {
      const resource = after.get(urn)
      if (resource) after.set(urn, { ...resource, outputs })
    },
    readStack(goal) {
      const secretOutputNames = Object.keys(state.outputs).filter((key) => hasSecret(state.outputs[key]))
      const outputs = { name: goal.name, outputs: state.outputs, secretOutputNames }
      const resource = { ...toResource(goal, options), id: goal.name, outputs }
      return record({ operation: 'read', changes: [] }, resource)
    },
    invoke: (token, args) => invokeFunction(cloud, token, clear(args)),
    finish() {
      for (const old of replaced.toReversed()) remove(old)
      for (const old of [...before.values()].toReversed().filter(({ urn }) => !after.has(urn))) {
        remove(old)
        before.delete(old.urn)
        record({ operation: 'delete', changes: [] }, old)
      }
      save(this.outputs)
    },
  }
}
