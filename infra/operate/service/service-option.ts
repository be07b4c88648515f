import { join } from 'node:path'
import { INTERRUPTED } from '../../cli/command-line.ts'
import { readJson } from '../../cli/private-file.ts'
import { ROOT } from '../../cli/root.ts'
import { UserError } from '../../cli/user-error.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import type { Service } from './persist.ts'

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
  const local = readJson<{ url: string; adminToken: string }>(join(ROOT, '.local/outputs.json'))
  const token = process.env.CHRONICLE_ADMIN_TOKEN || (local?.url === api ? local.adminToken : undefined)
  if (token) return token
  throw new UserError(
    'the admin token is missing. Put it into the environment variable CHRONICLE_ADMIN_TOKEN. Show it with: npx pulumi stack output adminToken --show-secrets --stack <stack>',
  )
}
