// `npm start`: provisions a stack on this machine with the program that also deploys it, and serves it.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { readOptions } from '../cli/options.ts'
import { PRIVATE_UMASK, writePrivateJson } from '../cli/private-file.ts'
import { UserError } from '../cli/user-error.ts'
import { DONE, formatCommands, formatCounts, formatOutputs, formatTree } from './print.ts'
import type { RunningCloud } from './start-cloud.ts'

const USAGE = 'npm start -- [--stack dev] [--port 8787] [--config key=value]...'
const ROOT = join(import.meta.dirname, '../..')
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/chronicle-sync')

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port
  throw new UserError(`--port is "${text}", expected a number from 1 to 65535`)
}

async function main(): Promise<void> {
  process.umask(PRIVATE_UMASK)
  // Before anyone else listens: the runtime's own handlers would exit with 130. What hangs on `exit`
  // ends the child processes and releases the lock; acknowledged data is on disk already.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0))
  // Whoever read the output (a pager, `head`) has gone: nobody to tell.
  process.stdout.on('error', () => process.exit(0))
  const { stack, config, own } = readOptions(process.argv.slice(2), USAGE, { port: '8787' })
  const port = readPort(own.port)
  // The packages behind it are large: compiled once, they load in half the time from then on.
  enableCompileCache(COMPILE_CACHE)
  const { startCloud } = await import('./start-cloud.ts')
  console.log(`Updating the stack "${stack}" on this machine`)
  // Before it serves anyone, the only requests are our own for a client token.
  let serving = false
  const onLog = (_level: string, message: string) => serving && console.log(message)
  const cloud = await startCloud({ stack, config, port, root: ROOT, onLog })
  print(cloud)
  serving = true
  await cloud.died
  await cloud.stop()
  throw new UserError('the runtime (workerd) died. Nothing acknowledged is lost: run npm start again')
}

function print(cloud: RunningCloud): void {
  const { clientToken: token, stack } = cloud.outputs
  const authFile = token && join(ROOT, '.local', stack, 'auth.json')
  if (authFile) writePrivateJson(authFile, { token })
  console.log(`\n${formatTree(cloud.steps)}\n`)
  console.log(`Outputs:\n${formatOutputs(cloud.stackOutputs)}\n`)
  console.log(`Resources: ${formatCounts(cloud.steps, DONE)}`)
  console.log(
    `Serving ${cloud.outputs.hosts.join(', ')} at ${cloud.url} after ${process.uptime().toFixed(1)} s`,
  )
  console.log('Url, admin token and client token: .local/outputs.json (yours only). Ctrl-C ends it.\n')
  if (cloud.warning) console.log(`Warning: ${cloud.warning}\n`)
  console.log(`${formatCommands(cloud, authFile)}\n`)
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exit(1)
})
