import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, right, wrong } from './finding.ts'

const SUBJECT = 'API token'
/** The provider refuses any other before it asks the API. */
const SHAPE = /^[0-9A-Za-z_-]{40,80}$/

export const CREATE_TOKEN =
  'Create one at dash.cloudflare.com/profile/api-tokens with Workers Scripts: Edit and Workers KV Storage: Edit ' +
  '(for a hostname also Zone: Read, for a route Workers Routes: Edit) and export it'

const Verified = z.object({ status: z.string(), expires_on: z.string().optional() })

/** What is wrong with the token before the API is asked; undefined if nothing. */
export function examineShape(token: string): Finding | undefined {
  if (SHAPE.test(token)) return undefined
  const found = `${token.length} characters that are not those of a token (40 to 80 of 0-9, A-Z, a-z, _ and -)`
  return wrong(SUBJECT, found, 'Copy it again, without quotes, spaces or "Bearer"')
}

/**
 * Asks whether the token lives: at the user's address, the account's or both, as its prefix tells
 * (developers.cloudflare.com/fundamentals/api/get-started/token-formats; older ones have none).
 */
export function verifyToken(
  api: CloudflareApi,
  accountId: string | undefined,
): Promise<readonly ApiAnswer[]> {
  const user = api.token.startsWith('cfat_') ? [] : ['user/tokens/verify']
  const account = api.token.startsWith('cfut_') || !accountId ? [] : [`accounts/${accountId}/tokens/verify`]
  return Promise.all([...user, ...account].map((path) => askApi(api, path)))
}

/** `alsoGiven`: another read went through, which no dead token does. */
export function examineVerified(answers: readonly ApiAnswer[], alsoGiven: boolean): Finding {
  const verified = answers.flatMap((answer) => toVerified(answer))
  const active = verified.find(({ status }) => status === 'active')
  if (active) return right(SUBJECT, active.expires_on ? `active until ${active.expires_on}` : 'active')
  const [dead] = verified
  if (dead) return wrong(SUBJECT, dead.status, CREATE_TOKEN)
  if (alsoGiven) return right(SUBJECT, 'accepted, though the API does not verify it')
  const reasons = answers.map((answer) => ('reason' in answer ? answer.reason : 'an answer of another shape'))
  return wrong(SUBJECT, `refused (${reasons[0] ?? 'not verified'})`, CREATE_TOKEN)
}

function toVerified(answer: ApiAnswer): readonly z.infer<typeof Verified>[] {
  if (answer.kind !== 'given') return []
  const { data } = Verified.safeParse(answer.result)
  return data ? [data] : []
}
