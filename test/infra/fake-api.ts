import { once } from 'node:events'
import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'

export const ACCOUNT = 'a'.repeat(32)
export const ZONE = { id: 'e'.repeat(32), name: 'example.com', status: 'active', account: { id: ACCOUNT } }
export const TOKEN = `cfut_${'t'.repeat(40)}`

/** Reply of the API for each path, or method and path: the result, or status, code and message of a refusal. */
export type Answers = Readonly<Record<string, unknown>>
export const REFUSED = { status: 403, code: 10000, message: 'Authentication error' }

export const GOOD_ANSWERS: Answers = {
  'user/tokens/verify': { id: '1', status: 'active' },
  accounts: [{ id: ACCOUNT, name: 'Acme' }],
  [`accounts/${ACCOUNT}/workers/scripts`]: [],
  [`accounts/${ACCOUNT}/storage/kv/namespaces`]: [],
  [`accounts/${ACCOUNT}/workers/subdomain`]: { subdomain: 'acme' },
  'zones?name=sync.example.com': [],
  'zones?name=example.com': [ZONE],
  [`zones/${ZONE.id}/dns_records?name=sync.example.com`]: [{ type: 'AAAA' }, { type: 'TXT' }],
}

/** Serves an API with only these paths. Returns its base URL. */
export async function serveApi(answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/client/v4/', '')
    const change = `${request.method} ${path}`
    const key = change in answers ? change : path
    const known = request.headers.authorization?.startsWith('Bearer ') && key in answers
    const answer = known ? answers[key] : { status: 404, code: 7003, message: 'Could not route' }
    const refusal = isRefusal(answer) ? answer : undefined
    response.statusCode = refusal?.status ?? 200
    response.end(
      JSON.stringify({
        success: !refusal,
        errors: refusal ? [refusal] : [],
        result: refusal ? undefined : isPage(answer) ? answer.page : answer,
        ...(isPage(answer) && { result_info: { cursors: { after: answer.cursor ?? '' } } }),
      }),
    )
  })
  return `${await listen(server)}/client/v4`
}

/** Page of a list with a cursor. */
function isPage(answer: unknown): answer is { readonly page: unknown; readonly cursor?: string } {
  return typeof answer === 'object' && answer !== null && 'page' in answer
}

function isRefusal(answer: unknown): answer is typeof REFUSED {
  return typeof answer === 'object' && answer !== null && 'code' in answer
}

export async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** Serves an API that accepts connections and never answers. */
export function serveSilence(): Promise<string> {
  return listen(createServer(() => {}))
}

/** Returns the URL of an API that refuses connections. */
export async function nobody(): Promise<string> {
  const server = createServer()
  const url = await listen(server)
  server.close()
  return url
}
