import * as z from 'zod/mini'
import type { FaultCode } from '../../src/core/fault.ts'
import { PROBLEM_MEMBERS } from '../../src/schema/reply/problem.ts'
import { FAULT_CODES, REFUSALS } from '../codes/refusals.ts'
import type { NamedShape } from './named-shape.ts'

/** Codes of a refused batch, over HTTP or on a socket. */
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

const MEMBERS: { readonly [C in FaultCode]?: z.ZodMiniObject } = PROBLEM_MEMBERS

export type DocumentedCode = (typeof FAULT_CODES)[number]

/** A schema for each code, named like the code, so that a discriminator needs no mapping. */
export const PROBLEMS = Object.fromEntries(FAULT_CODES.map((code) => [code, problemShape(code)])) as {
  // REFUSALS, from which the codes come, has them all.
  readonly [C in DocumentedCode]: NamedShape
}

function problemShape(code: FaultCode): NamedShape {
  const [action, description] = REFUSALS[code]
  const schema = z.object({ code: z.literal(code), ...MEMBERS[code]?.shape })
  return { schema, base: 'Problem', description, extensions: { 'x-action': action } }
}

/** A union of the problems with these codes. */
export function problemsOf(codes: readonly DocumentedCode[]): z.ZodMiniUnion {
  return z.xor(codes.map((code) => PROBLEMS[code].schema))
}
