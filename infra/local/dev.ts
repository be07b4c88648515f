// `npm run dev`: `wrangler dev` from the same declaration, with reload. Arguments go on to wrangler.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { DECLARATION_FILE, readDeclaration } from '../declaration.ts'
import { writePrivate } from './private-file.ts'

const ROOT = join(import.meta.dirname, '../..')
const SECRETS_FILE = 'worker/.dev.vars'

/** Makes up the secrets that the declaration requires, once. A file that has them all is left alone. */
function writeSecrets(required: readonly string[]): void {
  const file = join(ROOT, SECRETS_FILE)
  const known = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  if (required.every((name) => known[name])) return
  const made = Object.fromEntries(required.map((name) => [name, newSecret(name)]))
  const lines = Object.entries({ ...made, ...known }).map(([name, value]) => `${name}="${value}"`)
  writePrivate(file, `${lines.join('\n')}\n`)
}

function newSecret(name: string): string {
  const bytes = randomBytes(32)
  return name === 'ADMIN_TOKEN' ? `adm_dev_${bytes.toString('hex')}` : bytes.toString('base64')
}

function main(): void {
  writeSecrets(readDeclaration(ROOT).secrets.required)
  const args = [
    'dev',
    '--config',
    DECLARATION_FILE,
    '--ip',
    '127.0.0.1',
    '--persist-to',
    '.local/wrangler',
    '--local',
  ]
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  console.log(
    `Serving the Worker at http://127.0.0.1:8787 with reload; the admin token is in ${SECRETS_FILE}`,
  )
  const child = spawn(process.execPath, [wrangler, ...args, ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG_PATH: join(ROOT, '.local/wrangler/logs'),
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => {
    process.exitCode = code ?? 0
  })
}

main()
