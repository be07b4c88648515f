import * as z from 'zod/mini'
import { Opaque } from '../atoms.ts'
import { Entry } from './entry.ts'

/** Changes that lead from one cursor to another. */
export const ChangesFrame = z.object({
  type: z.literal('changes'),
  from: z.nullable(Opaque),
  cursor: Opaque,
  changes: z.array(Entry),
})

/** There is something to pull. */
export const PokeFrame = z.object({ type: z.literal('poke'), head: Opaque })

/** The answer to a ping. */
export const PongFrame = z.object({ type: z.literal('pong') })
