import * as z from 'zod/mini'
import { AnyJson } from '../atoms.ts'

/** The body of `POST /api/conflicts/{id}/resolve`. `base`: the current version, or null if the key does not exist. */
export const ResolveRequest = z
  .strictObject({
    choice: z.enum(['winner', 'loser', 'value']),
    value: z.optional(AnyJson),
    base: z.nullable(z.string()),
  })
  .check(
    z.refine(
      ({ choice, value }) => (choice === 'value') === (value !== undefined),
      'expected a value if and only if the choice is "value"',
    ),
  )
export type ResolveRequest = z.infer<typeof ResolveRequest>
