import * as z from 'zod/mini'
import { AuditRecord } from '../stored/audit.ts'
import { field, object } from './described.ts'

/** The reply of `GET /api/audit`. */
export const AuditReply = object('A page of audit records, newest first.', {
  records: field('One record per act.', z.array(AuditRecord)),
  next: field('The `cursor` of the next page, or null.', z.nullable(z.string())),
})
