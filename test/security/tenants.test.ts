import { expect, inject, test } from 'vitest'
import { CAMPAIGN_TIMEOUT_MS } from '../support/worker/stronghold.ts'
import { everything, type Heard, hear, ownersIn, type Tenant, tenant } from './canaries.ts'

const TENANTS = 200

/** Number of others that each tenant attacks: one in `npm test`, all of them in `npm run attack`. */
const OTHERS = inject('thorough') ? TENANTS - 1 : 1

type Attempt = readonly [method: string, path: string, body?: object]

/** Requests of a tenant with everything that it could have learned of another one. */
function attempts(mine: Tenant, theirs: Tenant): readonly Attempt[] {
  const key = encodeURIComponent(theirs.key)
  const cursor = encodeURIComponent(theirs.cursor)
  const own = { key: `${mine.key}-tried`, value: `canary-${mine.number}-tried`, timestamp: 1 }
  return [
    ['GET', `/api/entries?key=${key}`],
    ['GET', `/api/history?key=${key}`],
    ['GET', `/api/history?key=${encodeURIComponent(mine.key)}&before=${theirs.version}`],
    ['GET', `/api/changes?cursor=${cursor}&limit=500`],
    ['GET', `/api/changes?collections=canary-${theirs.number}-notes`],
    ['GET', `/api/status?cursor=${cursor}`],
    ['GET', `/api/conflicts?key=${key}`],
    ['GET', `/api/conflicts?after=${theirs.conflict - 1}`],
    ['POST', '/api/sync', { changes: [], cursor: theirs.cursor }],
    ['POST', '/api/sync', { changes: [], cursor: null, clientId: theirs.client }],
    ['POST', '/api/sync', { changes: [{ ...own, base: theirs.version }], cursor: theirs.cursor }],
    ['POST', '/api/sync', { changes: [{ ...own, baseValue: `canary-${theirs.number}-third` }] }],
    ['POST', `/api/conflicts/${theirs.conflict}/resolve`, { choice: 'loser', base: theirs.version }],
    ['DELETE', '/api/space', { confirm: theirs.space }],
    ['DELETE', `/api/tokens/${theirs.tokenId}`],
    ['GET', '/api/tokens'],
  ]
}

function expectNothingOf(theirs: Tenant, mine: Tenant, heard: Heard): void {
  const foreign = ownersIn(heard.text, heard.asked).filter((owner) => owner !== mine.number)
  expect(foreign, `${mine.number} of ${theirs.number}: ${heard.asked}`).toEqual([])
  expect(heard.status, heard.asked).toBeLessThan(500)
}

test(
  '[SC4] returns not one foreign byte to 200 tenants with everything that they could know of each other',
  async () => {
    const tenants: Tenant[] = []
    for (let number = 0; number < TENANTS; number++) tenants.push(await tenant(number))
    let asked = 0
    for (const mine of tenants) {
      for (let step = 1; step <= OTHERS; step++) {
        const theirs = tenants[(mine.number + step * (OTHERS < 10 ? 47 : 1)) % TENANTS] as Tenant
        const tag = (await everything(theirs.session))[0]?.headers.get('etag') ?? ''
        for (const attempt of attempts(mine, theirs)) {
          const headers = {
            'if-none-match': tag,
            'x-space': theirs.space,
            cookie: `session=${theirs.session}`,
          }
          expectNothingOf(theirs, mine, await hear(attempt, { bearer: mine.session, headers }))
          asked += 1
        }
        const [, payload] = theirs.session.split('.')
        const mixed = mine.session.replace(mine.session.split('.')[1] ?? '', payload ?? '')
        const stolen = await hear(['GET', '/api/changes'], { bearer: mixed })
        expect(stolen.status).toBe(401)
      }
    }
    for (const { number, session } of tenants) {
      const [changes, conflicts] = await everything(session)
      const text = JSON.stringify([changes?.body, conflicts?.body])
      expect(ownersIn(text, '')).toEqual([number])
      expect(changes?.body.changes.filter(({ key }: { key: string }) => key.endsWith('-tried'))).toHaveLength(
        1,
      )
      expect(changes?.body.changes).toHaveLength(4)
    }
    console.info(
      `SC4: ${TENANTS} tenants, ${TENANTS * OTHERS} pairs, ${asked} requests: not one foreign byte`,
    )
  },
  CAMPAIGN_TIMEOUT_MS,
)
