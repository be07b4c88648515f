import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { ROUTES } from '../../../worker/src/http/router.ts'
import { documented } from '../../support/documented.ts'
import { overhear } from '../../support/setup/witness.ts'
import { PASSING, spacesIn, type Trouble } from '../../support/unkind/spaces.ts'
import { device, mint, type Reply } from '../../support/worker/client.ts'
import { nameOf, type RouteName, requestTo } from '../../support/worker/routes.ts'

const SUBJECT = 'https://login.example.com/#sub=ann'

/** Requests every route with a credential that it takes, from a Worker whose objects fail. */
async function askAll(trouble: Trouble, ask: (name: RouteName, reply: Reply) => void): Promise<void> {
  const CHRONICLE = spacesIn(env.CHRONICLE, trouble)
  const here = { ...env, CHRONICLE, REGISTRY: spacesIn(env.REGISTRY, trouble) }
  const subject = crypto.randomUUID()
  const { token, id } = await mint({
    subject,
    scopes: ['sync:read', 'sync:write', 'space:read', 'space:admin'],
  })
  const { session } = await device({ token })
  for (const route of ROUTES) {
    const { ADMIN_TOKEN: admin } = env
    const bearer = { anyone: undefined, admin, monitor: admin, session }[route.access]
    const bodies: Partial<Record<RouteName, object>> = {
      'POST /api/auth': { token },
      'POST /api/sessions': { space: 'team' },
      'DELETE /api/sessions': { subject: SUBJECT, space: 'team' },
      'POST /api/spaces/reseal': { spaces: [env.CHRONICLE.idFromName('x').toString()] },
      'DELETE /api/space': { confirm: subject },
    }
    const body = bodies[nameOf(route)]
    const [path, init] = requestTo(route, { bearer, ...(body && { body }) })
    const request = new Request(`https://sync.example${path.replace('/tokens/1', `/tokens/${id}`)}`, init)
    const response = await documented(request, await handle(request, here))
    const text = response.webSocket === null ? await response.text() : ''
    ask(nameOf(route), {
      status: response.status,
      headers: response.headers,
      body: text.startsWith('{') ? JSON.parse(text) : null,
    })
  }
}

/** Routes that call no object. */
const APART = [
  'GET /api/health',
  'GET /api/openapi.json',
  'POST /api/tokens',
  'GET /api/tokens',
  'GET /api/config',
  'PUT /api/config',
  'GET /api/audit',
]

test.each(PASSING)(
  '[ED11] reports a space that is %s as busy on every route, and as no defect',
  async (trouble) => {
    const lines = await overhear(() =>
      askAll(trouble, (name, { status, headers, body }) => {
        if (APART.includes(name)) return
        if (name === 'POST /api/spaces/reseal')
          return expect(body.spaces).toMatchObject([{ state: 'pending' }])
        expect(body, name).toMatchObject({ status: 503, code: 'busy', success: false })
        expect(status).toBe(503)
        expect(headers.get('retry-after'), name).toBe('5')
      }),
    )
    const levels = lines.map((line) => JSON.parse(line)).filter(({ message }) => message !== 'audit')
    expect(levels.filter(({ level, message }) => level === 'error' || message === 'defect')).toEqual([])
    const asked = ROUTES.length - APART.length
    expect(levels.filter(({ message }) => message === 'space absent')).toHaveLength(asked)
    expect(levels.filter(({ code, level }) => code === 'busy' && level === 'warn')).toHaveLength(asked - 1)
  },
)

test('[ED11] reports an error of our own code as a defect', async () => {
  const lines = await overhear(() =>
    askAll('defect', (name, { status, body }) => {
      if (APART.includes(name)) return
      if (name === 'POST /api/spaces/reseal') return expect(body.spaces).toMatchObject([{ state: 'failed' }])
      expect(body, name).toMatchObject({ status: 500, code: 'internal' })
      expect(status).toBe(500)
    }),
  )
  expect(lines.filter((line) => JSON.parse(line).message === 'defect')).toHaveLength(
    ROUTES.length - APART.length,
  )
})
