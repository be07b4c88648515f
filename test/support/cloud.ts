import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningCloud, startCloud } from '../../infra/local/start-cloud.ts'
import { fetchDocumented } from './documented.ts'

/** The dev stack in a folder of its own, as `npm start` serves it. It can be started again on the same folder. */
export interface TestCloud {
  readonly folder: string
  start(config?: Record<string, string>): Promise<RunningCloud>
  remove(): Promise<void>
}

/** A test sends more in a minute than a device should. */
export const GENEROUS = { authRequestsPerMinute: '1000000', syncRequestsPerMinute: '1000000' }

export function testCloud(): TestCloud {
  const local = mkdtempSync(join(tmpdir(), 'chronicle-test-'))
  const running: RunningCloud[] = []
  return {
    folder: local,
    async start(config = GENEROUS) {
      const cloud = await startCloud({ local, port: 0, config })
      running.push(cloud)
      return cloud
    },
    async remove() {
      await Promise.allSettled(running.map((cloud) => cloud.stop()))
      rmSync(local, { recursive: true, force: true })
    },
  }
}

/** A token for a space, minted with the stack's admin token. */
export async function mintToken({ url, outputs }: RunningCloud, space: string): Promise<string> {
  const response = await fetchDocumented(`${url}/api/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${outputs.adminToken}` },
    body: JSON.stringify({ subject: space, scopes: ['sync:read', 'sync:write'] }),
  })
  const { token } = (await response.json()) as { token: string }
  return token
}
