import { expect, test } from 'vitest'
import { handDevice } from '../../support/client/hand-device.ts'

async function statusWithout(token: () => Promise<string>) {
  const { db } = await handDevice({ token })
  return db.status.getSnapshot()
}

test('is offline, and not signed out, if the app cannot reach its own backend for a token', async () => {
  // `fetch` rejects so where there is no network.
  const status = await statusWithout(() => Promise.reject(new TypeError('fetch failed')))
  expect(status).toMatchObject({
    online: false,
    obstacle: { code: 'offline', detail: 'token() failed: fetch failed' },
  })
})

test('is signed out if the app has no token for its user', async () => {
  const refused = await statusWithout(() => Promise.reject(new Error('no session')))
  expect(refused.obstacle).toEqual({ code: 'sign-in', detail: 'token() failed: no session' })
  const empty = await statusWithout(async () => '')
  expect(empty.obstacle?.code).toBe('sign-in')
})
