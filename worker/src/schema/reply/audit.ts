import * as z from 'zod/mini'
import { AuditRecord } from '../stored/audit.ts'

/** The reply of `GET /api/audit`. */
export const AuditReply = z.object({ records: z.array(AuditRecord), next: z.nullable(z.string()) })
