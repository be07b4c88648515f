import * as z from 'zod/mini'
import type { Fault, FaultCode } from '../src/core/fault.ts'
import { problemOf } from '../src/core/problem.ts'
import { PROBLEM_MEMBERS } from '../src/schema/reply/problem.ts'
import { REFUSALS } from './codes.ts'
import type { Described } from './described.ts'
import { FAULTS } from './faults.ts'

/** Every code in the order in which the document lists them, but for the one that no operation answers. */
export const FAULT_CODES = Object.values<Fault>(FAULTS)
  .map(({ code }) => code)
  .filter((code) => code !== 'method-not-allowed')

/** Codes of a batch that is refused, over HTTP or on a socket. */
export const BATCH_FAULTS = [
  'too-many-changes',
  'forbidden-scope',
  'forbidden-collection',
  'foreign-client',
  'batch-gap',
  'batch-too-old',
  'batch-mismatch',
  'batch-forgotten',
  'atomic-failed',
  'quota-exceeded',
] as const satisfies readonly FaultCode[]

const RETRY = 'The seconds to wait, as in `Retry-After`.'
const EXPECTED = 'The number of the batch that would be taken.'

const WORDS: { readonly [C in keyof typeof PROBLEM_MEMBERS]: Readonly<Record<string, string>> } = {
  'too-many-changes': { limit: 'The most changes of a batch.' },
  'body-too-large': { limit: 'The largest body, bytes.' },
  'batch-gap': {
    expected: EXPECTED,
    reset: 'The space knows no batch of this client: pull, and start over if the page says so.',
    epoch: 'The name of the data that the space holds; there with `reset`.',
  },
  'batch-too-old': { expected: EXPECTED },
  'batch-mismatch': { expected: EXPECTED },
  'batch-forgotten': { expected: EXPECTED },
  'atomic-failed': { results: 'The result of each change, if the batch were not atomic.' },
  'stale-base': { version: 'The version of the entry now; null where there is none.' },
  'already-resolved': { id: 'The id of the conflict.' },
  'config-changed': { revision: 'The revision of the configuration now.' },
  'import-gap': { expected: 'The number of the line that would be taken.' },
  'invalid-line': { line: 'The number of the line that is refused, from 1.' },
  importing: { retryAfterSeconds: RETRY },
  busy: {
    limit: 'The most sockets of a space, where it is those that are too many.',
    retryAfterSeconds: RETRY,
  },
  'provider-unavailable': { retryAfterSeconds: RETRY },
  'rate-limited': {
    policy: 'The budget that is used up; `place`: the counter before the space.',
    retryAfterSeconds: 'The seconds until the next request is let in, unless others come first.',
    limit: 'The requests of a window; absent for `place`.',
    windowSeconds: 'The length of the window, seconds; absent for `place`.',
  },
  'quota-exceeded': {
    quota: 'The quota that is used up.',
    limit: 'The most of it.',
    used: 'The amount that there is; null for a token of some collections.',
  },
}

const MEMBERS: { readonly [C in FaultCode]?: z.ZodMiniObject } = PROBLEM_MEMBERS
const MEMBER_WORDS: { readonly [C in FaultCode]?: Readonly<Record<string, string>> } = WORDS

export type Answered = (typeof FAULT_CODES)[number]

/** A shape for each code. It has the code as its name, so that a discriminator needs no mapping. */
export const PROBLEMS = Object.fromEntries(FAULT_CODES.map((code) => [code, problemShape(code)])) as {
  // FAULTS, from which the codes come, has them all.
  readonly [C in Answered]: Described
}

function problemShape(code: FaultCode): Described {
  const [action, description] = REFUSALS[code]
  const own = z.object({ code: z.literal(code), ...MEMBERS[code]?.shape })
  return {
    schema: own,
    base: 'Problem',
    description,
    fields: MEMBER_WORDS[code] ?? {},
    extensions: { 'x-action': action },
  }
}

export function statusOf(code: FaultCode): number {
  return problemOf(FAULTS[code]).status
}

/** One of the problems with these codes. */
export function problemsOf(codes: readonly Answered[]): z.ZodMiniUnion {
  return z.xor(codes.map((code) => PROBLEMS[code].schema))
}
