import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { writePrivate } from '../cli/private-file.ts'

/** The file in which `wrangler dev` looks for secrets. Git ignores it. */
export const DEV_SECRETS_FILE = 'worker/.dev.vars'

/** Generates the secrets that the declaration requires. Secrets that the file already has are kept. */
export function writeDevSecrets(root: string, required: readonly string[]): void {
  const file = join(root, DEV_SECRETS_FILE)
  const known = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  if (required.every((name) => known[name])) return
  const made = Object.fromEntries(required.map((name) => [name, newSecret(name)]))
  const lines = Object.entries({ ...made, ...known }).map(([name, value]) => `${name}="${value}"`)
  writePrivate(file, `${lines.join('\n')}\n`)
}

/** Generates a secret of the same shape as component/credentials.ts does. */
function newSecret(name: string): string {
  const bytes = randomBytes(32)
  return name === 'ADMIN_TOKEN' ? `adm_dev_${bytes.toString('hex')}` : `1:${bytes.toString('base64')}`
}
