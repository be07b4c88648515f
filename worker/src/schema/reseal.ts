import * as z from 'zod/mini'
import { MAX_RESEALED } from '../core/values/limits.ts'

/** The body of `POST /api/spaces/reseal`. */
export const ResealRequest = z.strictObject({
  spaces: z
    .array(z.string().check(z.regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')))
    .check(z.minLength(1), z.maxLength(MAX_RESEALED)),
})
