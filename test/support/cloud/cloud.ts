import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAccount } from '../../../infra/local/cloud/account.ts'
import { type RunningCloud, startCloud } from '../../../infra/local/start-cloud.ts'
import { fetchDocumented } from '../documented.ts'
import { keepSecret, secretsIn } from '../secrets.ts'
import { runHosted } from './program-runner.ts'

/** Dev stack in a folder of its own, as `npm start` serves it. It can be restarted on the same folder. */
export interface TestCloud {
  readonly folder: string
  start(config?: Record<string, string>): Promise<RunningCloud>
  /** Returns the lines that the Worker has logged. */
  logged(): readonly string[]
  /** Stops the stack and removes its folder. Rejects if a line of the log holds a secret ([SC8]). */
  remove(): Promise<void>
}

/** Rate limits of a location for tests, which send more than a device should. `allowMuch` raises those of a space. */
export const GENEROUS = {
  authRequestsPerMinute: '1000000',
  authFailuresPerMinute: '1000000',
  syncRequestsPerMinute: '1000000',
}

export interface CloudOptions {
  /** Project whose program runs. The default is this checkout. */
  readonly root?: string
}

export function testCloud(options: CloudOptions = {}): TestCloud {
  const local = mkdtempSync(join(tmpdir(), 'chronicle-test-'))
  const running: RunningCloud[] = []
  const lines: string[] = []
  return {
    folder: local,
    async start(config = GENEROUS) {
      const cloud = await startCloud({
        ...options,
        local,
        port: 0,
        config,
        onLog: (_, line) => lines.push(line),
        launch: runHosted,
      })
      keepSecret(secretsOf(local))
      running.push(cloud)
      if (config === GENEROUS) await allowMuch(cloud)
      return cloud
    },
    logged: () => [...lines],
    async remove() {
      await Promise.allSettled(running.map((cloud) => cloud.stop()))
      rmSync(local, { recursive: true, force: true })
      const leaks = lines.filter((line) => secretsIn(line).length > 0)
      if (leaks.length > 0) throw new Error(`secrets in the log:\n${leaks.slice(0, 5).join('\n')}`)
    },
  }
}

/** Lists the secrets of a stack, each generation separately. `local` is the folder in which it was started. */
export function secretsOf(local: string): readonly string[] {
  const [script] = loadAccount(join(local, 'dev')).scripts
  const secrets = script?.bindings.filter(({ type }) => type === 'secret_text') ?? []
  return secrets.flatMap(({ text }) =>
    String(text)
      .split(' ')
      .map((part) => part.slice(part.indexOf(':') + 1)),
  )
}

/** Raises the rate limits of a space for tests. `policies` are those of its collections. */
export async function allowMuch(
  { url, outputs }: Pick<RunningCloud, 'url' | 'outputs'>,
  policies: Readonly<Record<string, string>> = {},
): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${outputs.adminToken}` }
  const config = (await (await fetch(`${url}/api/config`, { headers })).json()) as object
  const requestsPerMinute = { client: 1_000_000, credential: 1_000_000, space: 1_000_000 }
  const body = JSON.stringify({ ...config, policies, requestsPerMinute })
  const response = await fetch(`${url}/api/config`, { method: 'PUT', headers, body })
  if (!response.ok) throw new Error(await response.text())
}

/** Mints a token for a space with the stack's admin token. */
export async function mintToken(
  { url, outputs }: Pick<RunningCloud, 'url' | 'outputs'>,
  space: string,
  more: object = {},
): Promise<string> {
  const response = await fetchDocumented(`${url}/api/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${outputs.adminToken}` },
    body: JSON.stringify({ subject: space, scopes: ['sync:read', 'sync:write'], ...more }),
  })
  const { token } = (await response.json()) as { token: string }
  return token
}
