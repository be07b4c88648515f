import * as z from 'zod/mini'
import { AnyJson } from './name.ts'

/** The body of `POST /api/conflicts/{id}/resolve`. `base`: the version that stands, null if nothing does. */
export const ResolveRequest = z.discriminatedUnion('choice', [
  z.strictObject({ choice: z.enum(['winner', 'loser']), base: z.nullable(z.string()) }),
  z.strictObject({ choice: z.literal('value'), value: AnyJson, base: z.nullable(z.string()) }),
])
export type ResolveRequest = z.infer<typeof ResolveRequest>
