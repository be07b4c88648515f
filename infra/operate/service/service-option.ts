import { INTERRUPTED } from '../../cli/command-line.ts'
import { ROOT } from '../../cli/root.ts'
import { UserError } from '../../cli/user-error.ts'
import { readOutputs } from '../../local/outputs.ts'
import { NoAnswer } from './api-client.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import { askService, type Service } from './persist.ts'

/** The service at the url on the command line. */
export function readService(url: string, usage: string): Service {
  const api = url.replace(/\/$/, '')
  if (!/^https?:\/\/[^/<>]+$/.test(api)) {
    throw new UserError(`expected the url of a service without a path, got "${url}". Usage: ${usage}`)
  }
  return { api, adminToken: adminTokenFor(api), clock: SYSTEM_CLOCK, signal: INTERRUPTED }
}

/** Reads the admin token from the environment or, for a stack on this machine, from the outputs of `npm start`. */
function adminTokenFor(api: string): string {
  const last = readOutputs(ROOT)
  const local = last?.url === api ? last : undefined
  if (local?.hosts.includes('127.0.0.1') === false) {
    throw new UserError(
      `the stack "${local.stack}" on this machine answers at ${local.hosts.join(', ')} only, which the tools cannot reach. Start it with --config workersDev=true as well`,
    )
  }
  const token = process.env.CHRONICLE_ADMIN_TOKEN || local?.adminToken
  if (token) return token
  throw new UserError(
    'the admin token is missing. Put it into the environment variable CHRONICLE_ADMIN_TOKEN. Show it with: npx pulumi stack output adminToken --show-secrets --stack <stack>',
  )
}

/** Refuses a service that says that it is another stack. A service that does not say so is left to the next request. */
export async function checkStack(service: Service, stack: string): Promise<void> {
  const found = await stackOf(service)
  if (found === undefined || found === stack) return
  throw new UserError(
    `${service.api} is the stack "${found}", not "${stack}". Name it with --stack ${found}, or use the url of ${stack}`,
  )
}

/** The stack that a service says it is; undefined for an older release, or if the service refuses or does not answer. */
async function stackOf(service: Service): Promise<string | undefined> {
  const asking = askService(service, 'GET /api/config', { bearer: service.adminToken })
  const reply = await asking.catch((cause: unknown) => {
    if (cause instanceof NoAnswer) return undefined
    throw cause
  })
  return reply?.status === 200 ? reply.body.stack : undefined
}
