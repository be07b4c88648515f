// Checks of everything that a page of the console did in a test.
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { RunningCloud } from '../../../infra/local/start-cloud.ts'
import type { Asked, Diary } from '../../support/browser/diary.ts'
import type { Person } from '../../support/browser/person.ts'
import { secretsIn } from '../../support/secrets.ts'
import type { Backstage } from './backstage.ts'

/** The only thing that the console may store. */
const KEPT_AS = 'chronicle-sync-admin-token'

/** Requests that are in no audit, because they open, use or end what an act in the audit has given out. */
const UNRECORDED = ['POST /api/auth', 'DELETE /api/auth', 'POST /api/live/ticket']

/** Expects no violation of the policy and no error, no secret where others can read it, and each act in the audit. */
export async function checkConduct(
  { page, count, diary }: Person & { readonly diary: Diary },
  cloud: RunningCloud,
  { records }: Backstage,
): Promise<void> {
  expect(diary.faults).toEqual([])
  expect(diary.addresses.filter((address) => secretsIn(address).length > 0)).toEqual([])
  const stored = (await page.run(`(async () => ({
    local: { ...localStorage },
    session: Object.keys(sessionStorage),
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    cookie: document.cookie,
  }))()`)) as object
  const isSignedIn = (await count('textbox', 'Admin token')) === 0
  const session = isSignedIn ? [KEPT_AS] : []
  expect(stored).toEqual({ local: {}, session, databases: [], caches: [], cookie: '' })
  const acts = diary.asked.map((asked) => actOf(asked, cloud)).filter(isRecorded)
  if (acts.length > 0) checkRecords(acts, await records(), cloud)
}

interface Act extends Omit<Asked, 'url'> {
  readonly path: string
}

function actOf({ url, ...asked }: Asked, cloud: RunningCloud): Act {
  return { ...asked, path: url.replace(cloud.url, '').replace(/\?.*/, '') }
}

/** Whether a request may change something, or exports a space, so that it has to be in the audit. */
function isRecorded({ method, path, status }: Act): boolean {
  if (!path.startsWith('/api/') || (method === 'GET' && path !== '/api/export')) return false
  // An invalid credential leaves no record, nor does a refusal of an API token's session that has no effect (OP3, OP6).
  if (status === 401 || (path === '/api/import' && status >= 400)) return false
  return !UNRECORDED.includes(`${method} ${path}`)
}

/** Each act has the record of its request, under the fingerprint of its operator. */
function checkRecords(
  acts: readonly Act[],
  records: Awaited<ReturnType<Backstage['records']>>,
  { outputs }: RunningCloud,
): void {
  const admin = createHash('sha256').update(outputs.adminToken).digest('base64url').slice(0, 8)
  const found = acts.map(({ requestId }) => records.find((record) => record.requestId === requestId))
  expect(found.map((record) => record && [record.act.split('{')[0], record.status, record.admin])).toEqual(
    acts.map(({ method, path, status }) => [
      `${method} ${path.replace(/(?<=^\/api\/(?:tokens|conflicts)\/).*/, '')}`,
      status,
      // An empty space is imported with an API token, which the operator has minted for it.
      path === '/api/import' ? 'session' : admin,
    ]),
  )
}
