// `npm start`: provisions a stack on this machine with the program that also deploys to Cloudflare, and serves it.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { readOptions } from '../cli/options.ts'
import { PRIVATE_UMASK, writePrivateJson } from '../cli/private-file.ts'
import { ROOT } from '../cli/root.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { whenNpmEnds } from './parent.ts'
import { readPort } from './port.ts'
import { DONE, formatCommands, formatCounts, formatOutputs, formatTree } from './print.ts'
import type { RunningCloud } from './start-cloud.ts'

const USAGE = 'npm start -- [--stack dev] [--port 8787] [--config key=value]...'
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/chronicle-sync')

async function main(): Promise<void> {
  process.umask(PRIVATE_UMASK)
  // Registered before the runtime's own handlers, which would exit with 130. The handlers of `exit` end the child
  // processes and release the lock. Acknowledged data is already on disk.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0))
  whenNpmEnds(() => process.exit(0))
  // The reader of the output (a pager, `head`) has closed the pipe.
  process.stdout.on('error', () => process.exit(0))
  const { stack, config, own } = readOptions(process.argv.slice(2), USAGE, { port: '8787' })
  const port = readPort(own.port)
  // Compiles the large packages behind start-cloud.ts once. From then on they load in half the time.
  enableCompileCache(COMPILE_CACHE)
  const { startCloud } = await import('./start-cloud.ts')
  console.log(`Updating the stack "${stack}" on this machine`)
  // Hides the log lines of our own requests for a client token.
  let serving = false
  const onLog = (_level: string, message: string) => serving && console.log(message)
  const cloud = await startCloud({ stack, config, port, root: ROOT, onLog })
  print(cloud)
  serving = true
  await cloud.died
  await cloud.stop()
  throw new UserError('the runtime (workerd) died. No acknowledged data is lost. Run npm start again')
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
  console.error(lineOf(error))
  process.exit(1)
})
