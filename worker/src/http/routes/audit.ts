import { AUDIT_PREFIX } from '../../core/audit.ts'
import { AuditRecord as Kept } from '../../schema/audit.ts'
import { parseQuery } from '../../schema/parse.ts'
import { AuditQuery } from '../../schema/query.ts'
import { type Exchange, json } from '../exchange/exchange.ts'
import { unwrap } from '../exchange/refusal.ts'
import { readPage } from '../kv/page.ts'

/** `GET /api/audit?cursor=`: the acts of operators, newest first. */
export async function showAudit({ env, query }: Exchange): Promise<Response> {
  const { cursor } = unwrap(parseQuery(AuditQuery, query))
  const { values, next } = await readPage(env.CHRONICLE_KV, AUDIT_PREFIX, cursor)
  return json({ records: values.map((value) => Kept.parse(value)), next })
}
