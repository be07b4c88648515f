import { expect, test } from 'vitest'
import { mint, send } from './client.ts'

test('[FO1] a client that knows only the founding fields works', async () => {
  const { token } = await mint()
  const opened = await send('POST', '/api/auth', { body: { token } })
  expect(opened.body.success).toBe(true)
  const bearer = opened.body.session
  const timestamp = Date.now()
  const body = { changes: [{ key: 'note', value: { title: 'a' }, timestamp }] }
  const synced = await send('POST', '/api/sync', { body, bearer })
  expect(synced.body).toMatchObject({ success: true, conflicts: [], synced: ['note'] })
  const status = await send('GET', '/api/status', { bearer })
  expect(status.body.status).toBe('ok')
  expect(status.body.lastSync).toBeGreaterThanOrEqual(timestamp)
  expect(status.body.pending).toBe(1)
})
