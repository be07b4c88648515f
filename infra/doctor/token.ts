import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, right, wrong } from './finding.ts'

const SUBJECT = 'API token'
/** The provider refuses any other shape before it asks the API. */
const SHAPE = /^[0-9A-Za-z_-]{40,80}$/

export const CREATE_TOKEN =
  'Create one at dash.cloudflare.com/profile/api-tokens with Workers Scripts: Edit and Workers KV Storage: Edit ' +
  '(for a hostname also Zone: Read, for a route Workers Routes: Edit) and export it'

const Verified = z.object({ status: z.string(), expires_on: z.string().optional() })

/** Checks the shape of the token without asking the API; undefined if the shape is right. */
export function examineShape(token: string): Finding | undefined {
  if (SHAPE.test(token)) return undefined
  const found = `${token.length} characters that do not form a token (40 to 80 of 0-9, A-Z, a-z, _ and -)`
  return wrong(SUBJECT, found, 'Copy it again, without quotes, spaces or "Bearer"')
}

/**
 * Asks whether the token is active, at the user's endpoint, the account's or both. The prefix tells which
 * (developers.cloudflare.com/fundamentals/api/get-started/token-formats); older tokens have no prefix.
 */
export function verifyToken(
  api: CloudflareApi,
  accountId: string | undefined,
): Promise<readonly ApiAnswer[]> {
  const user = api.token.startsWith('cfat_') ? [] : ['user/tokens/verify']
  const account = api.token.startsWith('cfut_') || !accountId ? [] : [`accounts/${accountId}/tokens/verify`]
  return Promise.all([...user, ...account].map((path) => askApi(api, path)))
}

/** `hasRead`: another read succeeded, which is impossible with a token that is not active. */
export function examineVerified(answers: readonly ApiAnswer[], hasRead: boolean): Finding {
  const verified = answers.flatMap((answer) => toVerified(answer))
  const active = verified.find(({ status }) => status === 'active')
  if (active) return right(SUBJECT, active.expires_on ? `active until ${active.expires_on}` : 'active')
  const [inactive] = verified
  if (inactive) return wrong(SUBJECT, inactive.status, CREATE_TOKEN)
  if (hasRead) return right(SUBJECT, 'accepted, although the API does not verify it')
  const reasons = answers.map((answer) =>
    'reason' in answer ? answer.reason : 'the answer has another shape',
  )
  return wrong(SUBJECT, `refused (${reasons[0] ?? 'not verified'})`, CREATE_TOKEN)
}

function toVerified(answer: ApiAnswer): readonly z.infer<typeof Verified>[] {
  if (answer.kind !== 'given') return []
  const { data } = Verified.safeParse(answer.result)
  return data ? [data] : []
}
