import * as z from 'zod/mini'
import { Milliseconds } from '../atoms.ts'
import { field, object } from './described.ts'

/** The reply of `GET /api/health`. */
export const HealthReply = object('The Worker runs.', {
  status: z.literal('ok'),
  environment: field('The environment of the stack.', z.string()),
  version: field('The deployed version.', z.string()),
  serverTime: field('The clock of the Worker, ms since 1970.', Milliseconds),
})
