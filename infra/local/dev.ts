// `npm run dev`: runs `wrangler dev` with the same declaration, which reloads on changes. Passes arguments to wrangler.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { makePrivateFolder, PRIVATE_UMASK } from '../cli/private-file.ts'
import { ROOT } from '../cli/root.ts'
import { lineOf } from '../cli/user-error.ts'
import { DECLARATION_FILE } from '../component/declaration.ts'
import { PAGES, writeDevAssets } from '../program/assets.ts'
import { CONSOLE } from '../program/console.ts'
import { readDeclaration } from '../program/declaration.ts'
import { DEV_SECRETS_FILE, writeDevSecrets } from './dev-secrets.ts'
import { whenNpmEnds } from './parent.ts'

const DEV = [
  'dev',
  '--config',
  DECLARATION_FILE,
  '--local',
  '--ip',
  '127.0.0.1',
  '--persist-to',
  '.local/wrangler',
]

/** Keeps wrangler off the network: no usage data, no search for updates, no location look-up. */
const QUIET = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_LOG_PATH: join(ROOT, '.local/wrangler/logs'),
}

async function main(): Promise<void> {
  // Wrangler would create its folders readable by everybody.
  process.umask(PRIVATE_UMASK)
  makePrivateFolder(join(ROOT, '.local'))
  makePrivateFolder(join(ROOT, '.local/wrangler'))
  writeDevSecrets(ROOT, readDeclaration(ROOT).secrets.required)
  const stopServing = await serveAssets()
  console.log(`The admin token is in ${DEV_SECRETS_FILE}. Wrangler prints the url below`)
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  const child = spawn(process.execPath, [wrangler, ...DEV, ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...QUIET },
  })
  let stopping = false
  function stop(signal: NodeJS.Signals): void {
    stopping = true
    child.kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  whenNpmEnds(() => stop('SIGTERM'))
  child.on('exit', (code) => {
    stopServing()
    process.exitCode = stopping ? 0 : (code ?? 1)
  })
}

/**
 * Builds the static assets, and again when one of their sources changes, until it is told to stop. Wrangler watches the
 * built ones.
 */
async function serveAssets(): Promise<() => void> {
  await writeDevAssets(ROOT)
  let building = Promise.resolve()
  function rebuild(): void {
    building = building.then(() => writeDevAssets(ROOT)).catch(report)
  }
  const watchers = [PAGES, CONSOLE].map((folder) => watch(join(ROOT, folder), { recursive: true }, rebuild))
  return () => {
    for (const watcher of watchers) watcher.close()
  }
}

function report(error: unknown): void {
  console.error(error instanceof RunError ? `Error: ${error.message}` : lineOf(error))
}

main().catch((error: unknown) => {
  report(error)
  process.exitCode = 1
})
