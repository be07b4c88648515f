import { waitUntil } from 'cloudflare:workers'
import {
  type AuditRecord,
  type AuditTarget,
  auditName,
  BY_SESSION,
  withoutCredentials,
} from '../../core/audit.ts'
import type { FaultCode } from '../../core/fault.ts'
import { AUDIT_TTL_SECONDS } from '../../core/values/access-limits.ts'

import type { Exchange } from '../exchange/exchange.ts'
import { toHttpError } from '../exchange/problem.ts'
import { logAct } from '../exchange/telemetry.ts'

/** Adds to the target of an act as soon as it is known, so that the record of a refusal has it too. */
export type AddTarget = (target: AuditTarget) => void

/** The requested act, and whose credential it was. */
type ActAndActor = Pick<AuditRecord, 'act' | 'admin'>

/**
 * Performs an act and writes its audit record, whatever its outcome. A client that hangs up ends its request and could
 * so suppress the record, so the act runs to its end without it.
 */
export function audited(
  exchange: Exchange,
  asked: ActAndActor,
  perform: (addTarget: AddTarget) => Promise<Response>,
): Promise<Response> {
  const acting = act(exchange, asked, perform)
  waitUntil(acting.catch(() => undefined))
  return acting
}

async function act(
  exchange: Exchange,
  asked: ActAndActor,
  perform: (addTarget: AddTarget) => Promise<Response>,
): Promise<Response> {
  let target: AuditTarget = {}
  const [ended] = await Promise.allSettled([
    perform((told) => {
      target = { ...target, ...told }
    }),
  ])
  const error = ended.status === 'fulfilled' ? null : toHttpError(ended.reason)
  const status = ended.status === 'fulfilled' ? ended.value.status : toHttpError(ended.reason).status
  const hasEffect = error === null || PARTIAL.includes(error.code)
  // An invalid session has had no effect, and anybody may hold one.
  if (status !== 401) await writeRecord(exchange, { ...asked, status, target, hasEffect })
  if (ended.status === 'rejected') throw ended.reason
  return ended.value
}

interface ActResult extends Pick<AuditRecord, 'status' | 'target'> {
  readonly hasEffect: boolean
}

/**
 * The log line comes first. If KV refuses the record, the reply is 500 although the act took place, and only the line
 * remains. Better a reply that makes the operator look than an act that nobody can look up.
 */
async function writeRecord(
  exchange: Exchange,
  { act, admin, status, target, hasEffect }: ActAndActor & ActResult,
): Promise<void> {
  const { request, env, requestId } = exchange
  const record: AuditRecord = {
    at: Date.now(),
    act,
    status,
    requestId,
    admin,
    address: addressIn(request),
    target: withoutCredentials(target),
  }
  logAct(exchange, record)
  // A refusal without effect gets only a log line. Otherwise the holder of a session could fill the records with
  // refusals.
  if (admin === BY_SESSION && !hasEffect) return
  // The record is the value, not metadata: names of an identity provider alone may exceed its 1,024 bytes.
  await env.CHRONICLE_KV.put(auditName(record, crypto.randomUUID()), JSON.stringify(record), {
    expirationTtl: AUDIT_TTL_SECONDS,
  })
}

/**
 * Refusals after which something may be stored: an import that stops keeps what came before. The space has counted it.
 */
const PARTIAL: readonly string[] = [
  'body-timeout',
  'invalid-line',
  'quota-exceeded',
  'internal',
] satisfies FaultCode[]

/** The client's address, as the platform states it. On a local machine it is absent, and a client may send any text. */
function addressIn({ headers }: Request): string | null {
  const given = headers.get('cf-connecting-ip') ?? ''
  return /^[0-9a-f.:]{2,45}$/i.test(given) ? given : null
}
