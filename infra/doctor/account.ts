import { type ApiAnswer, type CloudflareApi, followProxy, withoutSlash } from './cloudflare-api.ts'
import { type Finding, right, wrong } from './finding.ts'
import {
  askAccount,
  examinePermissions,
  examineSubdomain,
  type Route,
  type WorkersDev,
} from './permissions.ts'
import { CREATE_TOKEN, examineShape, examineVerified, verifyToken } from './token.ts'
import { askZone, examineZone } from './zone.ts'

const ACCOUNT_ID = /^[0-9a-f]{32}$/

/** What of a stack concerns its account. */
export interface AccountCase {
  readonly token: string | undefined
  readonly accountId: string | undefined
  readonly hostname: string | undefined
  readonly zoneId: string | undefined
  readonly route: Route | undefined
  readonly workersDev: WorkersDev
  /** Of the API, if it is not Cloudflare's own. */
  readonly baseUrl: string | undefined
  readonly signal: AbortSignal
}

/** Whether the account is there, takes the token and can take the stack. Only reads. */
export async function examineAccount(subject: AccountCase): Promise<readonly Finding[]> {
  const { token, signal } = subject
  if (!token) return [noAccount()]
  const misshapen = examineShape(token)
  if (misshapen) return [misshapen]
  const baseUrl = withoutSlash(subject.baseUrl)
  followProxy(baseUrl)
  return [...examineId(subject.accountId), ...(await examineLive({ baseUrl, token, signal }, subject))]
}

function noAccount(): Finding {
  const found = 'CLOUDFLARE_API_TOKEN is not set, so there is no account to deploy to (npm start needs none)'
  return wrong('account', found, CREATE_TOKEN)
}

function examineId(accountId: string | undefined): readonly Finding[] {
  const remedy = 'Export CLOUDFLARE_ACCOUNT_ID, or set accountId in the stack file'
  if (!accountId) return [wrong('account', 'no account id', remedy)]
  return ACCOUNT_ID.test(accountId)
    ? []
    : [wrong('account', `the id ${accountId} is not 32 hex digits`, remedy)]
}

async function examineLive(api: CloudflareApi, subject: AccountCase): Promise<readonly Finding[]> {
  const accountId = ACCOUNT_ID.test(subject.accountId ?? '') ? subject.accountId : undefined
  const { hostname, route, zoneId, workersDev } = subject
  const host = hostname ?? route?.host
  const isCustomDomain = hostname !== undefined
  const question = host && accountId ? { host, isCustomDomain, route, zoneId, accountId } : undefined
  const [verified, account, zone] = await Promise.all([
    verifyToken(api, accountId),
    accountId ? askAccount(api, accountId) : undefined,
    question && askZone(api, question),
  ])
  const reads = account?.reads ?? []
  const down = deadApi(api, [...verified, ...reads])
  if (down) return [down]
  const token = examineVerified(
    verified,
    reads.some(({ kind }) => kind === 'given'),
  )
  if (token.verdict === 'wrong') return [token]
  return [
    right('API', `${api.baseUrl} answers`),
    token,
    ...(account && accountId ? examinePermissions(accountId, reads) : []),
    ...(account ? [examineSubdomain(account.subdomain, workersDev)] : []),
    ...(question && zone ? examineZone(question, zone) : []),
  ]
}

/** One line for an API that is not there; if some answers came, their own lines tell the rest. */
function deadApi({ baseUrl }: CloudflareApi, answers: readonly ApiAnswer[]): Finding | undefined {
  const reasons = answers.flatMap((answer) => (answer.kind === 'silent' ? [answer.reason] : []))
  if (reasons.length < answers.length) return undefined
  const remedy = 'Check the network, the proxy and CLOUDFLARE_BASE_URL'
  return wrong('API', `${baseUrl} does not answer (${reasons[0] ?? 'nothing asked'})`, remedy)
}
