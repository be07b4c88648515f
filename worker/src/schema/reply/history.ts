import * as z from 'zod/mini'
import { Opaque } from '../atoms.ts'
import { Entry } from './entry.ts'

/** The reply of `GET /api/history`. */
export const HistoryReply = z.object({ key: z.string(), versions: z.array(Entry), next: z.nullable(Opaque) })
