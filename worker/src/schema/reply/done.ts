import * as z from 'zod/mini'
import { object } from './described.ts'

/** The reply of an operation that has nothing else to report. */
export const Done = object('Success.', { success: z.literal(true) })
