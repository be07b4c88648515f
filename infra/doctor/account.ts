import {
  askVisibleAccounts,
  chooseAccount,
  explainForeign,
  type NamedAccount,
  type VisibleAccounts,
} from './account-id.ts'
import { type ApiAnswer, type CloudflareApi, followProxy, withoutSlash } from './cloudflare-api.ts'
import { type Finding, isWrong, right, unknown, wrong } from './finding.ts'
import {
  type AccountAnswers,
  askAccount,
  examinePermissions,
  examineRoom,
  examineSubdomain,
  isForeign,
  type WorkersDev,
} from './permissions.ts'
import { examineShape, examineVerified, verifyToken } from './token.ts'
import { createToken, type TokenNeeds, tokenLink } from './token-link.ts'
import { askZone, examineZone, type ZoneAnswers, type ZoneOptions } from './zone.ts'

/** The settings of a stack that concern its account. */
export interface AccountOptions extends TokenNeeds, NamedAccount {
  readonly token: string | undefined
  /** The environment has a Global API Key, which the provider would take and this project does not. */
  readonly hasGlobalKey: boolean
  readonly scriptName: string
  readonly workersDev: WorkersDev
  /** The URL of the API; undefined for Cloudflare's own. */
  readonly baseUrl: string | undefined
  readonly signal: AbortSignal
}

/** Checks that the account exists, accepts the token and can take the stack. Only reads. */
export async function examineAccount(options: AccountOptions): Promise<readonly Finding[]> {
  const { token } = options
  if (!token) return [missingToken(options)]
  const malformed = examineShape(token, options)
  return malformed ? [malformed] : examineLive(toApi(options, token), options)
}

/** The id of the account that the stack goes to; undefined if the doctor finds something wrong with it. */
export async function findAccount(options: AccountOptions): Promise<string | undefined> {
  const { token } = options
  if (!token || examineShape(token, options)) return undefined
  const visible = options.accountId ? [] : (await askVisibleAccounts(toApi(options, token))).accounts
  const chosen = chooseAccount(options, visible)
  return 'id' in chosen ? chosen.id : undefined
}

/** Follows the proxy of the environment from then on. */
export function toApi({ baseUrl, signal }: AccountOptions, token: string): CloudflareApi {
  const url = withoutSlash(baseUrl)
  followProxy(url)
  return { baseUrl: url, token, signal }
}

function missingToken(options: AccountOptions): Finding {
  const found = options.hasGlobalKey
    ? 'CLOUDFLARE_API_TOKEN is not set, and CLOUDFLARE_API_KEY is not used here'
    : 'CLOUDFLARE_API_TOKEN is not set, so there is no account to deploy to (npm start needs none)'
  return wrong('account', found, createToken(options))
}

/** Asks everything at once if the account is configured. Otherwise the token must name the account first. */
async function examineLive(api: CloudflareApi, options: AccountOptions): Promise<readonly Finding[]> {
  const listed = askVisibleAccounts(api)
  const chosen = chooseAccount(options, options.accountId ? [] : (await listed).accounts)
  const id = 'id' in chosen ? chosen.id : undefined
  const [verified, visible, contents] = await Promise.all([
    verifyToken(api, id),
    listed,
    id === undefined ? undefined : askContents(api, id, options),
  ])
  const reads = [visible.answer, ...(contents?.account.reads ?? [])]
  const down = deadApi(api, [...verified, ...reads])
  if (down) return [down]
  const token = examineVerified(verified, reads, options)
  if (isWrong(token)) return [token]
  const head = [right('API', `${api.baseUrl} answers`), token]
  if ('finding' in chosen) return [...head, chosen.finding]
  if (!contents) return head
  if (!isForeign(contents.account)) return [...head, ...examineContents(contents, visible.accounts, options)]
  const foreign = await explainForeign(api, options, visible.accounts)
  return [...head, foreign ?? powerless(chosen.id, visible.accounts, options)]
}

/** Answers of the API about one account. */
interface Contents {
  readonly id: string
  readonly account: AccountAnswers
  readonly zone: { readonly options: ZoneOptions; readonly answers: ZoneAnswers } | undefined
}

async function askContents(api: CloudflareApi, id: string, options: AccountOptions): Promise<Contents> {
  const zoneOptions = toZoneOptions(id, options)
  const [account, answers] = await Promise.all([
    askAccount(api, id),
    zoneOptions && askZone(api, zoneOptions),
  ])
  return { id, account, zone: zoneOptions && answers && { options: zoneOptions, answers } }
}

/** Undefined for a stack that answers on workers.dev only. */
function toZoneOptions(accountId: string, options: AccountOptions): ZoneOptions | undefined {
  const { hostname, route, zoneId, scriptName } = options
  const host = hostname ?? route?.host
  return host
    ? { host, isCustomDomain: hostname !== undefined, route, zoneId, accountId, scriptName }
    : undefined
}

function examineContents(
  { id, account, zone }: Contents,
  visible: VisibleAccounts,
  options: AccountOptions,
): readonly Finding[] {
  const permissions = examinePermissions(account)
  const findings = [
    right('account', describeAccount(id, visible)),
    ...permissions,
    ...examineRoom(account, options.scriptName),
    examineSubdomain(account.subdomain, options.scriptName, options.workersDev),
    ...(zone ? examineZone(zone.options, zone.answers) : []),
  ]
  const lacks = findings.some((finding) => isWrong(finding) && finding.subject.startsWith('permission'))
  return lacks ? [...findings, newToken(options)] : findings
}

/** A hint after the permissions that a token lacks, each of which has its own line. */
function newToken(options: AccountOptions): Finding {
  return unknown('API token', `a new one with every permission of this stack: ${tokenLink(options)}`)
}

function powerless(id: string, visible: VisibleAccounts, options: AccountOptions): Finding {
  if (visible.some((account) => account.id === id)) {
    const found = `the token may neither read nor write Workers in ${describeAccount(id, visible)}`
    return wrong('account', found, createToken(options))
  }
  const remedy = `Check CLOUDFLARE_ACCOUNT_ID. ${createToken(options)}`
  return wrong('account', `the token does not belong to ${id}, or has no permission in it`, remedy)
}

function describeAccount(id: string, visible: VisibleAccounts): string {
  const name = visible.find((account) => account.id === id)?.name
  return name ? `${name} ${id}` : id
}

/** One line for an API that never answers. If some answers arrived, their own findings report the rest. */
function deadApi({ baseUrl }: CloudflareApi, answers: readonly ApiAnswer[]): Finding | undefined {
  const reasons = answers.flatMap((answer) => (answer.kind === 'silent' ? [answer.reason] : []))
  if (reasons.length < answers.length) return undefined
  const remedy = 'Check the network, the proxy and CLOUDFLARE_BASE_URL'
  return wrong('API', `${baseUrl} does not answer (${reasons[0] ?? 'nothing asked'})`, remedy)
}
