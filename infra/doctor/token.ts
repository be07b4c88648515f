import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, right, wrong } from './finding.ts'
import { createToken, type TokenNeeds } from './token-link.ts'

const SUBJECT = 'API token'
/** The provider refuses any other shape before it asks the API. */
const SHAPE = /^[0-9A-Za-z_-]{40,80}$/

/**
 * Other credentials that people paste, by their shape (developers.cloudflare.com/fundamentals/api/get-started/token-formats).
 * An R2 token shows a Secret Access Key beside the token itself.
 */
const OTHER_CREDENTIALS: readonly (readonly [shape: RegExp, found: string])[] = [
  [/^(cfk_.*|[0-9a-f]{37})$/, 'a Global API Key, not an API token'],
  [/^v1\.0-/, 'an Origin CA key, not an API token'],
  [/^pul-/, 'a token of Pulumi Cloud, not of Cloudflare'],
  [/^[0-9a-f]{64}$/, 'a Secret Access Key of R2, not an API token'],
  [/^[0-9a-f]{32}$/, 'an id (32 hex digits), not an API token'],
]

/** The API's reason if the token has a filter of addresses, with the caller's address. */
const ELSEWHERE = /access token from location: (\S+?),/

const Verified = z.object({
  id: z.string().optional(),
  status: z.string(),
  expires_on: z.string().optional(),
})

/** Checks the shape of the token without asking the API; undefined if the shape is right. */
export function examineShape(token: string, needs: TokenNeeds): Finding | undefined {
  if (token !== token.trim()) {
    const remedy = 'Set CLOUDFLARE_API_TOKEN again without it'
    return wrong(SUBJECT, 'a space or a line break at its begin or end', remedy)
  }
  const other = OTHER_CREDENTIALS.find(([shape]) => shape.test(token))
  if (other) return wrong(SUBJECT, other[1], createToken(needs))
  if (SHAPE.test(token)) return undefined
  const found = `${token.length} characters that do not form a token (40 to 80 of 0-9, A-Z, a-z, _ and -)`
  return wrong(SUBJECT, found, 'Copy it again, without quotes, spaces or "Bearer"')
}

/**
 * Asks whether the token is active, at the user's endpoint, the account's or both. The prefix tells which; older tokens
 * have no prefix.
 */
export function verifyToken(
  api: CloudflareApi,
  accountId: string | undefined,
): Promise<readonly ApiAnswer[]> {
  const user = api.token.startsWith('cfat_') ? [] : ['user/tokens/verify']
  const account = api.token.startsWith('cfut_') || !accountId ? [] : [`accounts/${accountId}/tokens/verify`]
  return Promise.all([...user, ...account].map((path) => askApi(api, path)))
}

/** The id of an active token, which is also its Access Key ID for R2. */
export function tokenId(answers: readonly ApiAnswer[]): string | undefined {
  return answers.flatMap(toVerified).find(({ status }) => status === 'active')?.id
}

/** `reads` are other answers to the token. A token that is not active gets none. */
export function examineVerified(
  answers: readonly ApiAnswer[],
  reads: readonly ApiAnswer[],
  needs: TokenNeeds,
): Finding {
  const address = [...answers, ...reads].map(addressRefused).find((found) => found !== undefined)
  if (address) {
    const remedy = 'Add that address to the Client IP Address Filtering of the token'
    return wrong(SUBJECT, `may not be used from ${address}`, remedy)
  }
  const verified = answers.flatMap(toVerified)
  const active = verified.find(({ status }) => status === 'active')
  if (active) return right(SUBJECT, active.expires_on ? `active until ${active.expires_on}` : 'active')
  const [inactive] = verified
  if (inactive) return wrong(SUBJECT, inactive.status, createToken(needs))
  if (reads.some(({ kind }) => kind === 'given'))
    return right(SUBJECT, 'accepted, although the API does not verify it')
  const reasons = answers.map((answer) =>
    'reason' in answer ? answer.reason : 'the answer has another shape',
  )
  return wrong(SUBJECT, `refused (${reasons[0] ?? 'not verified'})`, createToken(needs))
}

function addressRefused(answer: ApiAnswer): string | undefined {
  return 'reason' in answer ? ELSEWHERE.exec(answer.reason)?.[1] : undefined
}

function toVerified(answer: ApiAnswer): readonly z.infer<typeof Verified>[] {
  if (answer.kind !== 'given') return []
  const { data } = Verified.safeParse(answer.result)
  return data ? [data] : []
}
