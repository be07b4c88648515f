import { writeFileSync } from 'node:fs'
import type { Judgement } from '../../../infra/local/engine/policies.ts'
import { isObject, isSecret, type Properties } from '../../../infra/local/engine/properties.ts'
import type { State } from '../../../infra/local/engine/state.ts'
import type { UpResult } from '../../../infra/local/engine/up.ts'

/** Writes the events of a preview as the CLI's `--event-log` does: secrets keep their mark and lose their value. */
export function writeEventLog(
  path: string,
  result: UpResult,
  { policies, violations }: Judgement,
  state: State,
): void {
  const steps = result.steps.map(({ operation, resource, changes }) => {
    const { urn, type, inputs } = resource
    const old = state.resources.find((former) => former.urn === urn)
    const outputs = result.resources.find((made) => made.urn === urn)?.outputs ?? {}
    return {
      op: operation,
      urn,
      type,
      old: old ? { inputs: blind(old.inputs), outputs: blind(old.outputs) } : null,
      new: operation === 'delete' ? null : { inputs: blind(inputs), outputs: blind(outputs) },
      keys: changes
        .filter(({ replaces }) => replaces)
        .map(({ path: changed }) => changed.replace(/[.[].*/, '')),
      detailedDiff: null,
    }
  })
  const broken = violations.map(({ policy }) => policy)
  const events = [
    ...steps.map((metadata) => ({ resourcePreEvent: { metadata, planning: true } })),
    ...steps.map((metadata) => ({ resOutputsEvent: { metadata, planning: true } })),
    ...violations.map(({ policy, message, mandatory }) => ({
      policyEvent: {
        policyName: policy,
        message: `<{%fg 13%}>${message}<{%reset%}>\n`,
        enforcementLevel: mandatory ? 'mandatory' : 'advisory',
      },
    })),
    {
      policyAnalyzeStackSummaryEvent: {
        passed: policies.filter((name) => !broken.includes(name)),
        failed: broken,
      },
    },
    { summaryEvent: { resourceChanges: {}, isPreview: true } },
  ]
  const lines = events.map((event, sequence) => JSON.stringify({ sequence, timestamp: 0, ...event }))
  writeFileSync(path, `${lines.join('\n')}\n`)
}

function blind(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, blindValue(value)]))
}

function blindValue(value: unknown): unknown {
  if (isSecret(value)) return { ...value, value: undefined, ciphertext: '[secret]' }
  if (Array.isArray(value)) return value.map(blindValue)
  return isObject(value) ? blind(value) : value
}
