import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Log, LogLevel, Miniflare, type MiniflareOptions, type WorkerdStructuredLog } from 'miniflare'
import { UserError } from '../../cli/user-error.ts'
import type { Binding } from '../../component/bindings.ts'
import { hostOf } from '../../component/names.ts'
import { type Account, type Script, scriptFile } from './account.ts'
import { assetsFolder, firstSegments } from './assets.ts'
import type { ConsoleAccess } from './console-access.ts'

type Worker = MiniflareOptions['workers'][number]
type Env = NonNullable<Worker['config']['env']>

/** The hosts that only this machine reaches. They take the place of the Worker's workers.dev host. */
export const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]']

export interface Runtime {
  readonly port: number
  /** The id of workerd, a child of this process. */
  readonly pid: number
  /** Resolves if workerd ends without `stop`. */
  readonly died: Promise<void>
  stop(): Promise<void>
}

export interface ServeOptions {
  readonly account: Account
  /** The folder with the code and the data of the account. */
  readonly folder: string
  readonly port: number
  /** Called for every log line of the Workers. */
  readonly onLog: (log: WorkerdStructuredLog) => void
  /** Lets the console get the admin token with a code. */
  readonly consoleAccess?: ConsoleAccess
}

/** Options of a runtime that listens on this machine only, stays off the network, and prints nothing by itself. */
export const QUIET = {
  host: '127.0.0.1',
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  logRequests: false,
  enableDevRegistry: false,
  log: new Log(LogLevel.NONE),
} as const

/** Runs the scripts of the account in workerd, on 127.0.0.1 only. Stays off the network. */
export async function serveAccount(options: ServeOptions): Promise<Runtime> {
  const { account, folder, onLog } = options
  const children = watchChildren()
  let firstError: string | undefined
  const miniflare = new Miniflare({
    ...QUIET,
    handleStructuredLogs(log) {
      if (log.level === 'error') firstError ??= log.message
      onLog(log)
    },
    resourcePersistencePath: join(folder, 'data'),
    workers: [
      edgeWorker(options),
      ...account.scripts.flatMap((script) => [scriptWorker(script, folder), ...assetWorkers(script, folder)]),
    ],
  })
  try {
    await miniflare.ready
    const runtime = children.find('workerd')
    let stopping = false
    return {
      port: Number((await miniflare.unsafeGetDirectURL('edge')).port),
      pid: runtime.pid ?? 0,
      died: new Promise((resolve) => {
        runtime.once('exit', () => stopping || resolve())
      }),
      async stop() {
        stopping = true
        await miniflare.dispose()
      },
    }
  } catch (cause) {
    await miniflare.dispose().catch(() => {})
    const [reason] = (firstError ?? String(cause)).split('\n')
    throw new UserError(`the runtime could not start the script: ${reason}`)
  } finally {
    children.stop()
  }
}

/** The name of the script that serves each host. */
export function routesOf(account: Account): Readonly<Record<string, string>> {
  const onLoopback = account.scripts.find(({ workersDev }) => workersDev)
  const loopback = onLoopback ? LOOPBACK_HOSTS.map((host) => [host, onLoopback.name]) : []
  const custom = account.domains.map(({ hostname, service }) => [hostname, service])
  const routed = account.routes.map(({ pattern, script }) => [hostOf(pattern), script])
  return Object.fromEntries([...loopback, ...routed, ...custom])
}

function edgeWorker({ account, folder, port, consoleAccess }: ServeOptions): Worker {
  const withAssets = account.scripts.filter(({ assets }) => assets)
  const names = [
    ...account.scripts.map(({ name }) => name),
    ...withAssets.map(({ name }) => assetsWorker(name)),
  ]
  const services = names.map((name) => [name, { type: 'worker', worker: name }])
  const segments = withAssets.map(({ name }) => [name, firstSegments(folder, name)])
  return {
    config: {
      name: 'edge',
      compatibilityDate: '2026-10-20',
      manifest: manifestOf(join(import.meta.dirname, 'edge.js'), join(import.meta.dirname, 'redeem.js')),
      env: {
        ...Object.fromEntries(services),
        ROUTES: { type: 'json', value: routesOf(account) },
        ASSETS: { type: 'json', value: Object.fromEntries(segments) },
        CONSOLE: { type: 'json', value: consoleAccess ? { ...consoleAccess, hosts: LOOPBACK_HOSTS } : null },
      },
    },
    // Opens a socket straight to the edge, because the runtime's own entry answers paths and headers of its own.
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port }] },
  }
}

function scriptWorker(script: Script, folder: string): Worker {
  const classes = Object.entries(script.classes).map(([name, key]) => [
    name,
    { type: 'durable-object', storage: 'sqlite', unsafeUniqueKey: key },
  ])
  return {
    config: {
      name: script.name,
      compatibilityDate: script.compatibilityDate,
      compatibilityFlags: [...script.compatibilityFlags],
      manifest: manifestOf(scriptFile(folder, script.name)),
      env: Object.fromEntries(script.bindings.map((binding) => [binding.name, toEnv(binding, script.name)])),
      exports: Object.fromEntries(classes),
    },
  }
}

function assetsWorker(scriptName: string): string {
  return `${scriptName}:assets`
}

/**
 * Serves the assets of a script by a Worker of their own. With the assets at the script itself, the runtime would send
 * every request through three more Workers, which takes longer than most replies.
 */
function assetWorkers({ name, assets, compatibilityDate }: Script, folder: string): readonly Worker[] {
  if (!assets) return []
  const { htmlHandling, notFoundHandling } = assets
  const contents = 'export default {}'
  return [
    {
      config: {
        name: assetsWorker(name),
        compatibilityDate,
        manifest: { mainModule: 'worker.js', modules: { 'worker.js': { type: 'esm', contents } } },
        assets: { directory: assetsFolder(folder, name), htmlHandling, notFoundHandling },
      },
    },
  ]
}

function manifestOf(file: string, ...imported: readonly string[]): Worker['config']['manifest'] {
  const files = [['worker.js', file] as const, ...imported.map((path) => [basename(path), path] as const)]
  const modules = files.map(([name, path]) => [name, { type: 'esm', contents: readFileSync(path, 'utf8') }])
  return { mainModule: 'worker.js', modules: Object.fromEntries(modules) }
}

/** Converts a binding of an uploaded script. The upload has resolved its inputs to plain strings. */
function toEnv(binding: Binding, scriptName: string): Env[string] {
  const { name, type, className = '', json = 'null', simple, dataset = '' } = binding
  // The runtime has no jurisdictions, because all data is on one machine.
  const text = name === 'JURISDICTION' ? 'none' : String(binding.text ?? '')
  const id = String(binding.namespaceId ?? '')
  if (type === 'kv_namespace') return { type: 'kv', id }
  if (type === 'durable_object_namespace')
    return { type: 'durable-object', worker: scriptName, exportName: className }
  if (type === 'ratelimit' && simple) return { type: 'rate-limit', namespace: id, simple: toSimple(simple) }
  if (type === 'analytics_engine') return { type: 'analytics-engine-dataset', name: dataset }
  if (type === 'assets') return { type: 'worker', worker: assetsWorker(scriptName) }
  if (type === 'json') return { type: 'json', value: JSON.parse(json) }
  return { type: 'text', value: text }
}

function toSimple({ limit, period }: { limit: number; period: number }): { limit: number; period: 10 | 60 } {
  return { limit, period: period === 10 ? 10 : 60 }
}

/** Finds the child process that Miniflare hides. Node announces every child on a diagnostics channel. */
export function watchChildren(): {
  readonly find: (file: string) => ChildProcess
  readonly stop: () => void
} {
  const children: ChildProcess[] = []
  function onStart(message: unknown): void {
    // Node documents this message. The program of the child is not known yet.
    children.push((message as { process: ChildProcess }).process)
  }
  subscribe('child_process', onStart)
  return {
    find(file) {
      const child = children.findLast(({ spawnfile }) => spawnfile.includes(file))
      if (!child) throw new Error(`no child runs ${file}`)
      return child
    },
    stop: () => unsubscribe('child_process', onStart),
  }
}
