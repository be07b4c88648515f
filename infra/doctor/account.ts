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

/** The settings of a stack that concern its account. */
export interface AccountOptions {
  readonly token: string | undefined
  readonly accountId: string | undefined
  readonly hostname: string | undefined
  readonly zoneId: string | undefined
  readonly route: Route | undefined
  readonly workersDev: WorkersDev
  /** The URL of the API; undefined for Cloudflare's own. */
  readonly baseUrl: string | undefined
  readonly signal: AbortSignal
}

/** Checks that the account exists, accepts the token and can take the stack. Only reads. */
export async function examineAccount(options: AccountOptions): Promise<readonly Finding[]> {
  const { token, signal } = options
  if (!token) return [missingToken()]
  const malformed = examineShape(token)
  if (malformed) return [malformed]
  const baseUrl = withoutSlash(options.baseUrl)
  followProxy(baseUrl)
  return [...examineId(options.accountId), ...(await examineLive({ baseUrl, token, signal }, options))]
}

function missingToken(): Finding {
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

async function examineLive(api: CloudflareApi, options: AccountOptions): Promise<readonly Finding[]> {
  const accountId = ACCOUNT_ID.test(options.accountId ?? '') ? options.accountId : undefined
  const { hostname, route, zoneId, workersDev } = options
  const host = hostname ?? route?.host
  const isCustomDomain = hostname !== undefined
  const zoneOptions = host && accountId ? { host, isCustomDomain, route, zoneId, accountId } : undefined
  const [verified, account, zone] = await Promise.all([
    verifyToken(api, accountId),
    accountId ? askAccount(api, accountId) : undefined,
    zoneOptions && askZone(api, zoneOptions),
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
    ...(zoneOptions && zone ? examineZone(zoneOptions, zone) : []),
  ]
}

/** One line for an API that never answers. If some answers arrived, their own findings report the rest. */
function deadApi({ baseUrl }: CloudflareApi, answers: readonly ApiAnswer[]): Finding | undefined {
  const reasons = answers.flatMap((answer) => (answer.kind === 'silent' ? [answer.reason] : []))
  if (reasons.length < answers.length) return undefined
  const remedy = 'Check the network, the proxy and CLOUDFLARE_BASE_URL'
  return wrong('API', `${baseUrl} does not answer (${reasons[0] ?? 'nothing asked'})`, remedy)
}
