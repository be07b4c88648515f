import { join } from 'node:path'
import { makePrivateFolder } from '../cli/private-file.ts'
import { ROOT } from '../cli/root.ts'
import { readStack } from '../cli/stack-file.ts'
import { type ConsoleAccess, newConsoleAccess } from './cloud/console-access.ts'
import type { Step } from './engine/deployment.ts'
import { type Properties, reveal } from './engine/properties.ts'
import { type UpOptions, up } from './engine/up.ts'
import { lockFolder } from './lock.ts'
import { type Outputs, writeOutputs } from './outputs.ts'
import { checkPort } from './port.ts'

export interface StartOptions {
  readonly stack?: string
  /** 0 means any free port. */
  readonly port?: number
  /** The option that sets the port, for a message. */
  readonly portOption?: string
  /** The folder with Pulumi.yaml. */
  readonly root?: string
  /** The folder for state, data and outputs.json. The default is `.local` in the root. */
  readonly local?: string
  /** Settings that override those of the stack file. A key without a namespace belongs to the project. */
  readonly config?: Readonly<Record<string, string>>
  readonly onStep?: (step: Step) => void
  /** Called for every log line of the Worker. */
  readonly onLog?: (level: string, message: string) => void
  /** Runs the program in place of Pulumi's launcher. */
  readonly launch?: UpOptions['launch']
}

export interface RunningCloud {
  readonly url: string
  /** Opens the console, once, with a code that it exchanges for the admin token. Undefined unless 127.0.0.1 is served. */
  readonly consoleUrl: string | undefined
  readonly outputs: Outputs
  /** All outputs of the program, with secrets marked. */
  readonly stackOutputs: Properties
  readonly steps: readonly Step[]
  /** The reason why an expected client token is missing. */
  readonly warning: string | undefined
  /** The process of the runtime. `died` resolves when it is killed. */
  readonly workerdPid: number
  readonly died: Promise<void>
  stop(): Promise<void>
}

/** Runs the program for a stack and serves the resources that it registers. Mistakes of the user throw a UserError. */
export async function startCloud(options: StartOptions = {}): Promise<RunningCloud> {
  const { stack: name = 'dev', port = 8787, root = ROOT, config = {} } = options
  const { local = join(root, '.local') } = options
  const stack = readStack(root, name, config)
  const folder = join(local, name)
  makePrivateFolder(local)
  const lock = await lockFolder(folder, name)
  try {
    await checkPort(port, options.portOption)
    const { onStep = () => {}, onLog = () => {}, launch } = options
    // The package of the runtime takes a while to load, so it loads while the program runs.
    const loading = import('./cloud/runtime.ts')
    const upOptions = { root, stack, folder, onStep, ...(launch && { launch }) }
    const { outputs: stackOutputs, account, steps } = await up(upOptions)
    const { routesOf, serveAccount } = await loading
    const adminToken = String(reveal(stackOutputs.adminToken))
    const consoleAccess = newConsoleAccess(adminToken)
    const cloud = await serveAccount({
      account,
      folder,
      port,
      consoleAccess,
      onLog: (log) => onLog(log.level, log.message),
    })
    lock.noteRuntime(cloud.pid)
    const url = `http://127.0.0.1:${cloud.port}`
    const base: Outputs = { stack: name, url, hosts: Object.keys(routesOf(account)), adminToken }
    const { outputs, warning } = await writeOutputs(local, base, account)
    const consoleUrl = linkTo(base, consoleAccess)
    async function stop(): Promise<void> {
      await cloud.stop()
      lock.release()
    }
    const { pid: workerdPid, died } = cloud
    return { url, consoleUrl, outputs, stackOutputs, steps, warning, workerdPid, died, stop }
  } catch (cause) {
    lock.release()
    throw cause
  }
}

/** The link that opens the console; undefined if a browser of this machine finds no host of the stack. */
function linkTo({ url, hosts }: Outputs, { code }: ConsoleAccess): string | undefined {
  return hosts.includes('127.0.0.1') ? `${url}/console/#code=${code}` : undefined
}
