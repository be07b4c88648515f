// `npm start`: provisions a stack on this machine with the program that also deploys it, and serves it.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatCommands, formatCounts, formatOutputs, formatTree } from './print.ts'
import { writePrivateJson } from './private-file.ts'
import type { RunningCloud } from './start-cloud.ts'
import { StartError } from './start-error.ts'

const USAGE = 'npm start -- [--stack dev] [--port 8787] [--config key=value]...'
const ROOT = join(import.meta.dirname, '../..')
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/chronicle-sync')

interface Options {
  readonly stack: string
  readonly port: number
  readonly config: Readonly<Record<string, string>>
}

function readOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port < 1 || port > 65535) {
    throw new StartError(`--port is "${values.port}", expected a number from 1 to 65535`)
  }
  const pairs = values.config.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new StartError(`--config is "${pair}", expected key=value`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return { stack: values.stack, port, config: Object.fromEntries(pairs) }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        stack: { type: 'string', default: 'dev' },
        port: { type: 'string', default: '8787' },
        config: { type: 'string', multiple: true, default: [] },
      },
    })
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new StartError(`${reason}. Usage: ${USAGE}`)
  }
}

async function main(): Promise<void> {
  // Before anyone else listens: the runtime's own handlers would exit with 130. What hangs on `exit`
  // ends the child processes and releases the lock; acknowledged data is on disk already.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0))
  // Whoever read the output (a pager, `head`) has gone: nobody to tell.
  process.stdout.on('error', () => process.exit(0))
  const options = readOptions(process.argv.slice(2))
  // The packages behind it are large: compiled once, they load in half the time from then on.
  enableCompileCache(COMPILE_CACHE)
  const { startCloud } = await import('./start-cloud.ts')
  console.log(`Updating the stack "${options.stack}" on this machine`)
  // Before it serves anyone, the only requests are our own for a client token.
  let serving = false
  const onLog = (_level: string, message: string) => serving && console.log(message)
  const cloud = await startCloud({ ...options, root: ROOT, onLog })
  print(cloud)
  serving = true
  await cloud.died
  await cloud.stop()
  throw new StartError('the runtime (workerd) died. Nothing acknowledged is lost: run npm start again')
}

function print(cloud: RunningCloud): void {
  const { clientToken: token, stack } = cloud.outputs
  const authFile = token && join(ROOT, '.local', stack, 'auth.json')
  if (authFile) writePrivateJson(authFile, { token })
  console.log(`\n${formatTree(cloud.steps)}\n`)
  console.log(`Outputs:\n${formatOutputs(cloud.stackOutputs)}\n`)
  console.log(`Resources: ${formatCounts(cloud.steps)}`)
  console.log(
    `Serving ${cloud.outputs.hosts.join(', ')} at ${cloud.url} after ${process.uptime().toFixed(1)} s`,
  )
  console.log('Url, admin token and client token: .local/outputs.json (yours only). Ctrl-C ends it.\n')
  if (cloud.warning) console.log(`Warning: ${cloud.warning}\n`)
  console.log(`${formatCommands(cloud, authFile)}\n`)
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? `Error: ${error.message}` : error)
  process.exit(1)
})
