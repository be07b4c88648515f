// `npm start`: provisions a stack on this machine with the program that also deploys to Cloudflare, and serves it.
import { join } from 'node:path'
import { readOptions } from '../cli/options.ts'
import { writePrivateJson } from '../cli/private-file.ts'
import { ROOT } from '../cli/root.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { readPort } from './port.ts'
import { prepareProcess } from './prepare-process.ts'
import { DONE, formatCommands, formatCounts, formatOutputs, formatTree } from './print.ts'
import type { RunningCloud } from './start-cloud.ts'

const USAGE = 'npm start -- [--stack dev] [--port 8787] [--config key=value]...'

async function main(): Promise<void> {
  prepareProcess()
  const { stack, config, own } = readOptions(process.argv.slice(2), USAGE, { port: '8787' })
  const port = readPort(own.port)
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
  if (cloud.consoleUrl) console.log(`Console (the link works once, within 10 minutes): ${cloud.consoleUrl}\n`)
  if (cloud.warning) console.log(`Warning: ${cloud.warning}\n`)
  console.log(`${formatCommands(cloud, authFile)}\n`)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exit(1)
})
