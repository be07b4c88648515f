import { join } from 'node:path'
import type { Step } from './deployment.ts'
import { lockFolder } from './lock.ts'
import { type Outputs, writeOutputs } from './outputs.ts'
import { checkPort } from './port.ts'
import { makePrivateFolder } from './private-file.ts'
import { type Properties, reveal } from './properties.ts'
import { readStack } from './stack-file.ts'
import { type UpOptions, up } from './up.ts'

export interface StartOptions {
  readonly stack?: string
  /** 0 takes any free one. */
  readonly port?: number
  /** The folder with Pulumi.yaml. */
  readonly root?: string
  /** Where state, data and outputs.json go: `.local` in the root if not said. */
  readonly local?: string
  /** Stack settings over those of the stack's file; a key without a namespace is the project's. */
  readonly config?: Readonly<Record<string, string>>
  readonly onStep?: (step: Step) => void
  /** What the Worker logs, line by line. */
  readonly onLog?: (level: string, message: string) => void
  readonly launch?: UpOptions['launch']
}

export interface RunningCloud {
  readonly url: string
  readonly outputs: Outputs
  /** All outputs of the program, secrets marked. */
  readonly stackOutputs: Properties
  readonly steps: readonly Step[]
  /** Why there is no client token, if one was due. */
  readonly warning: string | undefined
  /** The process of the runtime; killing it settles `died`. */
  readonly workerdPid: number
  readonly died: Promise<void>
  stop(): Promise<void>
}

/** Runs the program for a stack and serves what it registers. What a person can put right is a StartError. */
export async function startCloud(options: StartOptions = {}): Promise<RunningCloud> {
  const { stack: name = 'dev', port = 8787, root = join(import.meta.dirname, '../..'), config = {} } = options
  const { local = join(root, '.local') } = options
  const stack = readStack(root, name, config)
  const folder = join(local, name)
  makePrivateFolder(local)
  const lock = await lockFolder(folder, name)
  try {
    await checkPort(port)
    const { onStep = () => {}, onLog = () => {}, launch } = options
    // The runtime's package takes a while to load: let it, while the program runs.
    const loading = import('./cloud.ts')
    const {
      outputs: stackOutputs,
      account,
      steps,
    } = await up({ root, stack, folder, onStep, ...(launch && { launch }) })
    const { routesOf, serveAccount } = await loading
    const cloud = await serveAccount({ account, folder, port, onLog: (log) => onLog(log.level, log.message) })
    lock.noteRuntime(cloud.pid)
    const url = `http://127.0.0.1:${cloud.port}`
    const adminToken = String(reveal(stackOutputs.adminToken))
    const base: Outputs = { stack: name, url, hosts: Object.keys(routesOf(account)), adminToken }
    const { outputs, warning } = await writeOutputs(local, base, account)
    async function stop(): Promise<void> {
      await cloud.stop()
      lock.release()
    }
    return { url, outputs, stackOutputs, steps, warning, workerdPid: cloud.pid, died: cloud.died, stop }
  } catch (cause) {
    lock.release()
    throw cause
  }
}
