/** Kills the runtime before a chosen SQL statement, and reads the space after a restart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Runtime, startRuntime } from './runtime.ts'

const ROOT = join(import.meta.dirname, '../..')

async function send(
  { url }: Runtime,
  request: string,
  { bearer, body }: { bearer: string; body?: object },
): Promise<{ status: number; body: Record<string, unknown> }> {
  const [method = '', path = ''] = request.split(' ')
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function within(
  fatal: string,
  work: (runtime: Runtime) => Promise<void>,
  folder: string,
): Promise<void> {
  const runtime = await startRuntime({ worker: ROOT, objects: ROOT, folder, fatal })
  try {
    await work(runtime)
  } finally {
    await runtime.stop()
  }
}

for (const { fatal, isErased } of [
  { fatal: 'DELETE FROM segment', isErased: false },
  { fatal: "INSERT INTO meta VALUES ('erased-at'", isErased: false },
  { fatal: 'DELETE FROM nothing', isErased: true },
]) {
  test(`[SP1] keeps a space, or erases it with its sessions, when killed before "${fatal}"`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chronicle-kill-'))
    let [session, token] = ['', '']
    await within(
      fatal,
      async (runtime) => {
        const wanted = { subject: 'ann', space: 'killed', scopes: ['sync:read', 'sync:write', 'space:admin'] }
        const minted = await send(runtime, 'POST /api/tokens', { bearer: runtime.adminToken, body: wanted })
        token = String(minted.body.token)
        const opened = await send(runtime, 'POST /api/auth', { bearer: '', body: { token, clientId: 'a' } })
        session = String(opened.body.session)
        const changes = [{ key: 'k/1', value: 1, timestamp: 1 }]
        expect(await send(runtime, 'POST /api/sync', { bearer: session, body: { changes } })).toMatchObject({
          status: 200,
        })
        const erasing = send(runtime, 'DELETE /api/space', { bearer: session, body: { confirm: 'killed' } })
        await Promise.race([erasing.catch(() => {}), runtime.killed])
        await erasing.catch(() => {})
      },
      folder,
    )
    await within(
      '',
      async (runtime) => {
        const status = await send(runtime, 'GET /api/status', { bearer: session })
        if (isErased) {
          expect(status).toMatchObject({ status: 401, body: { code: 'space-erased' } })
          const again = await send(runtime, 'POST /api/auth', { bearer: '', body: { token, clientId: 'a' } })
          expect(again.body.code).toBe('space-erased')
          return
        }
        expect(status).toMatchObject({ status: 200, body: { entries: 1 } })
      },
      folder,
    )
    rmSync(folder, { recursive: true, force: true })
  })
}
