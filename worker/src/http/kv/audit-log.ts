import { waitUntil } from 'cloudflare:workers'
import {
  type AuditRecord,
  type AuditTarget,
  auditName,
  BY_SESSION,
  withoutCredentials,
} from '../../core/audit.ts'
import type { FaultCode } from '../../core/fault.ts'
import { AUDIT_TTL_SECONDS } from '../../core/values/limits.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { shown } from '../exchange/problem.ts'
import { logAct } from '../exchange/telemetry.ts'

/** Tells what an act is about, as soon as that is known: the record of a refusal has it too then. */
export type About = (target: AuditTarget) => void

/** What is asked for, and whose credential it was. */
type Asked = Pick<AuditRecord, 'act' | 'admin'>

/**
 * Does what is asked for, and leaves a record of it, however it ends. A client that hangs up would end its request, and
 * could so keep an act from being recorded: it goes on to its end.
 */
export function recorded(
  exchange: Exchange,
  asked: Asked,
  perform: (about: About) => Promise<Response>,
): Promise<Response> {
  const acting = act(exchange, asked, perform)
  waitUntil(acting.catch(() => undefined))
  return acting
}

async function act(
  exchange: Exchange,
  asked: Asked,
  perform: (about: About) => Promise<Response>,
): Promise<Response> {
  let target: AuditTarget = {}
  const [ended] = await Promise.allSettled([
    perform((told) => {
      target = { ...target, ...told }
    }),
  ])
  const error = ended.status === 'fulfilled' ? null : shown(ended.reason)
  const status = ended.status === 'fulfilled' ? ended.value.status : shown(ended.reason).status
  const hasEffect = error === null || PARTIAL.includes(error.code)
  // A session that is no longer valid has done nothing: anybody may hold one.
  if (status !== 401) await keep(exchange, { ...asked, status, target, hasEffect })
  if (ended.status === 'rejected') throw ended.reason
  return ended.value
}

interface Ended extends Pick<AuditRecord, 'status' | 'target'> {
  readonly hasEffect: boolean
}

/**
 * The log first: if KV does not take the record, the request answers 500 although the act took place, and the line
 * is what is left of it. Better a reply that sends the operator to look than an act that nobody can look up.
 */
async function keep(
  exchange: Exchange,
  { act, admin, status, target, hasEffect }: Asked & Ended,
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
  // Without an effect it has a line only: whoever holds a session could fill the records with refusals.
  if (admin === BY_SESSION && !hasEffect) return
  // A value and no metadata: the names of an identity provider alone may be longer than the 1,024 bytes of that.
  await env.CHRONICLE_KV.put(auditName(record, crypto.randomUUID()), JSON.stringify(record), {
    expirationTtl: AUDIT_TTL_SECONDS,
  })
}

/** Refusals after which something may be stored: an import that stops keeps what came before. Its space counted it. */
const PARTIAL: readonly string[] = [
  'body-timeout',
  'invalid-line',
  'quota-exceeded',
  'internal',
] satisfies FaultCode[]

/** Where a request came from, as the platform says; on a local machine it says nothing, and a client anything. */
function addressIn({ headers }: Request): string | null {
  const given = headers.get('cf-connecting-ip') ?? ''
  return /^[0-9a-f.:]{2,45}$/i.test(given) ? given : null
}
