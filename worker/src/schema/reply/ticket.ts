import * as z from 'zod/mini'
import { Milliseconds } from '../atoms.ts'

/** The reply of `POST /api/live/ticket`. */
export const TicketReply = z.object({ success: z.literal(true), ticket: z.string(), expiresAt: Milliseconds })
