import type { Judgement } from '../../local/engine/policies.ts'
import type { UpResult } from '../../local/engine/up.ts'
import { formatSteps } from '../../local/print.ts'
import { lastOutputs, type Plan, SERVICE_TYPE, type Verdict } from './plan.ts'

/** The plan of the engine on this machine. */
export function localPlan(stack: string, result: UpResult, judgement: Judgement): Plan {
  const { steps, resources, warnings } = result
  return {
    stack,
    warnings,
    steps: steps.map(({ resource, operation, changes }) => {
      const { type, name, inputs, retainOnDelete } = resource
      return { type, name, operation, changes, inputs, isRetained: retainOnDelete }
    }),
    // A step of a component has the outputs of the last run, because it comes before the new ones.
    before: lastOutputs(
      steps.find(({ resource }) => resource.type === SERVICE_TYPE)?.resource.outputs ?? {},
      result.before,
    ),
    after: resources.find(({ type }) => type === SERVICE_TYPE)?.outputs ?? {},
    verdicts: verdictsOf(judgement),
    errors: [],
    details: formatSteps(steps),
  }
}

function verdictsOf({ policies, violations }: Judgement): readonly Verdict[] {
  const found = violations.map(({ policy, message, mandatory }): Verdict => {
    return { policy, message, result: mandatory ? 'broken' : 'open' }
  })
  const silent = policies.filter((name) => !violations.some(({ policy }) => policy === name))
  return [...found, ...silent.map((policy): Verdict => ({ policy, result: 'passed', message: '' }))]
}
