import * as z from 'zod/mini'
import { Entry } from './entry-reply.ts'
import { Opaque } from './name.ts'

/** The reply of `GET /api/history`. */
export const HistoryReply = z.object({ key: z.string(), versions: z.array(Entry), next: z.nullable(Opaque) })
