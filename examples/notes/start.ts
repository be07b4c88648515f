// `npm run example`: serves the service, as `npm start` does, and an app that syncs with it.
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { readOptions } from '../../infra/cli/options.ts'
import { ROOT } from '../../infra/cli/root.ts'
import { lineOf, UserError } from '../../infra/cli/user-error.ts'
import { checkPort, readPort } from '../../infra/local/port.ts'
import { prepareProcess } from '../../infra/local/prepare-process.ts'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { buildApp } from './build.ts'
import { type Service, serveApp } from './server.ts'

const SERVICE_PORT = '--service-port'
const USAGE = `npm run example -- [--port 3000] [${SERVICE_PORT} 8787] [--data .local] [--stack dev] [--config key=value]...`

/** Two edits of an agreement at the same time are a conflict that a person decides. */
const POLICIES = { agreements: 'manual' }

async function main(): Promise<void> {
  prepareProcess()
  const defaults = { port: '3000', 'service-port': '8787', data: '.local' }
  const { stack, config, own } = readOptions(process.argv.slice(2), USAGE, defaults)
  const port = readPort(own.port)
  const servicePort = readPort(own['service-port'], SERVICE_PORT)
  if (port === servicePort) throw new UserError(`--port and ${SERVICE_PORT} are both ${port}. Choose two`)
  await checkPort(port)
  console.log('Building the app, and starting the service on this machine')
  const building = buildClient().then(buildApp)
  // A failure is reported once the service runs, or not at all if that fails first.
  building.catch(() => {})
  const { startCloud } = await import('../../infra/local/start-cloud.ts')
  const origins = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${port}`)
  const cloud = await startCloud({
    stack,
    local: resolve(ROOT, own.data),
    port: servicePort,
    portOption: SERVICE_PORT,
    config: { corsOrigins: JSON.stringify(origins), ...config },
  })
  const service = { url: cloud.url, adminToken: cloud.outputs.adminToken }
  await setPolicies(service)
  await serveApp({ service, files: await building, port })
  print(port, cloud)
  await cloud.died
  throw new UserError('the runtime (workerd) died. No acknowledged data is lost. Run npm run example again')
}

/** Compiles the package of the client with its adapter for React, in a process of its own while the service starts. */
async function buildClient(): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['client/build.ts', 'examples/notes'], { cwd: ROOT })
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string }
    throw new UserError(`the client does not compile: ${stdout}${stderr}`)
  }
}

/** Adds the policies of the app to the configuration of the service, unless it has them. */
async function setPolicies({ url, adminToken }: Service): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` }
  const config = await (await fetch(`${url}/api/config`, { headers })).json()
  const missing = Object.entries(POLICIES).filter(([name, policy]) => config.policies[name] !== policy)
  if (missing.length === 0) return
  const body = JSON.stringify({ ...config, policies: { ...config.policies, ...POLICIES } })
  const response = await fetch(`${url}/api/config`, { method: 'PUT', headers, body })
  if (!response.ok) throw new Error(`PUT /api/config answered ${response.status}: ${await response.text()}`)
}

function print(port: number, { url, consoleUrl }: Pick<RunningCloud, 'url' | 'consoleUrl'>): void {
  const app = `http://127.0.0.1:${port}/`
  const link = consoleUrl && `    the operator's console, once, within 10 minutes: ${consoleUrl}\n`
  console.log(`
    Notes on one device   ${app}
    and on another one    ${app}?device=phone
${link ?? ''}
Edits of "agreements" on both devices wait for a decision: the example has set that policy.

The service is at ${url}. Ctrl-C ends both. Their data is kept.`)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exit(1)
})
