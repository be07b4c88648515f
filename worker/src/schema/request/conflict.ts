import * as z from 'zod/mini'
import { AnyJson } from '../atoms.ts'

/** The body of `POST /api/conflicts/{id}/resolve`. `base`: the version that stands, null if nothing does. */
export const ResolveRequest = z
  .strictObject({
    choice: z.enum(['winner', 'loser', 'value']),
    value: z.optional(AnyJson),
    base: z.nullable(z.string()),
  })
  .check(
    z.refine(
      ({ choice, value }) => (choice === 'value') === (value !== undefined),
      'expected a value with the choice "value", and else none',
    ),
  )
export type ResolveRequest = z.infer<typeof ResolveRequest>
