import * as z from 'zod/mini'
import { Milliseconds } from '../atoms.ts'

/** The reply of `GET /api/health`. */
export const HealthReply = z.object({
  status: z.literal('ok'),
  environment: z.string(),
  version: z.string(),
  serverTime: Milliseconds,
})
