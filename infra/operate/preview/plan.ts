import { isDeepStrictEqual } from 'node:util'
import type { Change, Operation } from '../../local/engine/diff.ts'
import type { Properties } from '../../local/engine/properties.ts'

/** The prediction of one `up`, whichever engine made it. Secrets in it keep their mark. */
export interface Plan {
  readonly stack: string
  /** In the order of the engine, with the resources that stay the same. */
  readonly steps: readonly PlannedStep[]
  /** The outputs of the service, as the component has them: empty before the first deployment. */
  readonly before: Properties
  readonly after: Properties
  readonly verdicts: readonly Verdict[]
  /** Warnings of the program and the providers, a line each. */
  readonly warnings: readonly string[]
  /** The reasons why the engine refused to predict anything. */
  readonly errors: readonly string[]
  /** The engine's own text. */
  readonly details: string
}

export interface PlannedStep {
  readonly type: string
  readonly name: string
  readonly operation: Operation
  readonly changes: readonly Change[]
  /** The wanted inputs, or the last ones of a resource that is deleted. */
  readonly inputs: Properties
  /** True if a deleted resource stays in the account. */
  readonly isRetained: boolean
}

/** The finding of a policy. `open` means that only the deployment knows the values that it needs. */
export interface Verdict {
  readonly policy: string
  readonly result: 'passed' | 'broken' | 'open'
  readonly message: string
}

export const SERVICE_TYPE = 'chronicle-sync:index:ChronicleSync'
export const SCRIPT_TYPE = 'cloudflare:index/workersScript:WorkersScript'

/** The outputs of the last run. Until version 0.1.0 the stack had them, and the component only a few. */
export function lastOutputs(ofService: Properties, ofStack: Properties): Properties {
  return 'version' in ofService ? ofService : ofStack
}

/** Whether the engine or a policy refuses the deployment. */
export function isRefused({ errors, verdicts }: Plan): boolean {
  return errors.length > 0 || verdicts.some(({ result }) => result === 'broken')
}

/** Whether a deployment would change nothing, the record of the last run included. */
export function isSettled({ steps, before, after }: Plan): boolean {
  return steps.every(({ operation }) => operation === 'same') && isDeepStrictEqual(before, after)
}

/** One sentence of the summary. */
export interface Line {
  readonly topic: Topic
  readonly text: string
  /** True if no later deployment can undo it. */
  readonly isFinal?: boolean
}

export const TOPICS = ['code', 'users', 'data', 'cost', 'other'] as const
export type Topic = (typeof TOPICS)[number]
