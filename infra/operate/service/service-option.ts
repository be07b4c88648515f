import { join } from 'node:path'
import { INTERRUPTED } from '../../cli/command-line.ts'
import { readJson } from '../../cli/private-file.ts'
import { UserError } from '../../cli/user-error.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import type { Service } from './persist.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The service at a url that a person gave. */
export function readService(url: string, usage: string): Service {
  const api = url.replace(/\/$/, '')
  if (!/^https?:\/\/[^/<>]+$/.test(api)) {
    throw new UserError(`expected the url of a service without a path, got "${url}". Usage: ${usage}`)
  }
  return { api, adminToken: adminTokenFor(api), clock: SYSTEM_CLOCK, signal: INTERRUPTED }
}

/** From the environment; of a stack that runs on this machine, from what `npm start` wrote. */
function adminTokenFor(api: string): string {
  const local = readJson<{ url: string; adminToken: string }>(join(ROOT, '.local/outputs.json'))
  const token = process.env.CHRONICLE_ADMIN_TOKEN || (local?.url === api ? local.adminToken : undefined)
  if (token) return token
  throw new UserError(
    'the admin token is missing. Put it into the environment variable CHRONICLE_ADMIN_TOKEN: `npx pulumi stack output adminToken --show-secrets --stack <stack>` shows it',
  )
}
