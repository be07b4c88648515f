import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { DECLARATION_FILE } from '../../infra/component/declaration.ts'
import { QUIET, watchChildren } from '../../infra/local/cloud/runtime.ts'
import { bundleWorker } from '../../infra/program/bundle.ts'

const Declared = z.object({
  main: z.string(),
  vars: z.record(z.string(), z.json()),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  ratelimits: z.array(z.object({ name: z.string() })),
})

type Worker = MiniflareOptions['workers'][number]
type Env = NonNullable<Worker['config']['env']>

/** Runtime with a Worker and its objects. */
export interface Runtime {
  readonly url: string
  readonly adminToken: string
  /** Resolves when the runtime has been killed before the `fatal` statement. */
  readonly killed: Promise<void>
  /** Kills the runtime at once, without a word to it. */
  kill(): Promise<void>
  stop(): Promise<void>
}

const ADMIN_TOKEN = `adm_dev_${'a'.repeat(64)}`

export interface RuntimeOptions {
  /** Checkouts of the Worker and the objects. After a deployment the two differ for some minutes. */
  readonly worker: string
  readonly objects: string
  /** Folder of the data, which is temporary if left out. */
  readonly folder?: string
  /** Kills the runtime before a statement of an object that begins with this text. */
  readonly fatal?: string
  /** Called for each event of the traces, which are kept only with it, and for each log line. */
  readonly onTelemetry?: (event: Traced | string) => void
}

/** Event of a trace: a root span with the kind of its invocation, another span, or attributes. */
export interface Traced {
  readonly traceId: string
  readonly type: string
  /** Span that the event is about. */
  readonly spanId: string
  readonly name?: string
  readonly attributes?: Readonly<Record<string, unknown>>
  /** Whole event as text. */
  readonly text: string
}

/** Serves a Worker with objects that may be of another version. Both have the same secrets and the same KV. */
export async function startRuntime({
  worker,
  objects,
  folder,
  fatal = '',
  onTelemetry,
}: RuntimeOptions): Promise<Runtime> {
  const children = watchChildren()
  const killed = Promise.withResolvers<void>()
  const miniflare = new Miniflare({
    ...QUIET,
    handleStructuredLogs({ message }) {
      onTelemetry?.(message.startsWith(TRACED) ? JSON.parse(message.slice(TRACED.length)) : message)
      if (!message.includes(FATAL)) return
      const runtime = children.find('workerd')
      runtime.once('exit', () => killed.resolve())
      runtime.kill('SIGKILL')
    },
    ...(folder !== undefined && { resourcePersistencePath: folder }),
    workers: [
      ...[await workerOf('front', worker), await workerOf('behind', objects, fatal)].map((served) =>
        onTelemetry ? traced(served) : served,
      ),
      ...(onTelemetry ? [TAIL] : []),
    ],
  })
  const { origin } = await miniflare.ready
  const workerd = children.find('workerd')
  children.stop()
  async function kill(): Promise<void> {
    const ended = once(workerd, 'exit')
    workerd.kill('SIGKILL')
    await ended
    await miniflare.dispose()
  }
  return {
    url: origin,
    adminToken: ADMIN_TOKEN,
    killed: killed.promise,
    kill,
    stop: () => miniflare.dispose(),
  }
}

/** Begins the log lines of the tail Worker. */
const TRACED = 'traced '

/** Tail Worker, which gets the events of traces and logs them. */
const TAIL: Worker = {
  config: {
    name: 'tail',
    compatibilityDate: '2026-10-20',
    manifest: {
      mainModule: 'worker.js',
      modules: {
        'worker.js': {
          type: 'esm',
          contents: `
            const textOf = (value) => JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
            function log({ spanContext, event }) {
              const { type, name, info } = event
              const spanId = event.spanId ?? spanContext.spanId
              const attributes = type === 'attributes' ? Object.fromEntries(info.map(({ name, value }) => [name, value])) : undefined
              const kind = type === 'onset' ? info.type : name
              console.log('${TRACED}' + textOf({ traceId: spanContext.traceId, type, spanId, name: kind, attributes, text: textOf(event) }))
            }
            export default { tailStream(onset) { log(onset); return log } }
          `,
        },
      },
    },
  },
}

function traced(worker: Worker): Worker {
  return {
    ...worker,
    config: { ...worker.config, tailConsumers: [{ worker: 'tail', streaming: true }] },
  }
}

/** Log line that announces the fatal statement. */
const FATAL = 'a fatal statement'

/** Module around the Worker's, which stops before the fatal statement and waits to be killed. */
const WRAPPER = `
  import worker, { Chronicle as Original } from './chronicle.js'
  export default worker
  export class Chronicle extends Original {
    constructor(ctx, env) {
      const { sql } = ctx.storage
      const exec = sql.exec.bind(sql)
      const wrapped = new Proxy(sql, {
        get(target, name) {
          if (name === 'exec') return (query, ...bindings) => {
            if (env.FATAL && query.trim().startsWith(env.FATAL)) {
              console.log('${FATAL}')
              for (;;) {}
            }
            return exec(query, ...bindings)
          }
          return Reflect.get(target, name, target)
        },
      })
      Object.defineProperty(ctx.storage, 'sql', { value: wrapped })
      super(ctx, env)
    }
  }
`

/** The script of each checkout. It is bundled once. */
const scripts = new Map<string, Promise<string>>()

function scriptOf(root: string, main: string): Promise<string> {
  const bundling = async () => {
    await bundleWorker(root, main)
    return readFileSync(join(root, 'dist/worker.js'), 'utf8')
  }
  const script = scripts.get(root) ?? bundling()
  scripts.set(root, script)
  return script
}

async function workerOf(name: string, root: string, fatal = ''): Promise<Worker> {
  // This version's own reader would refuse the declaration of the last release, which lacks later keys.
  const text = readFileSync(join(root, DECLARATION_FILE), 'utf8')
  const { main, vars, compatibility_date, compatibility_flags, ratelimits } = Declared.parse(parse(text))
  const contents = await scriptOf(root, main)
  const limits = ratelimits.map((limit): [string, Env[string]] => [
    limit.name,
    { type: 'rate-limit', namespace: `${name}-${limit.name}`, simple: { limit: 1_000_000, period: 60 } },
  ])
  const variables = Object.entries(vars).map(([key, value]): [string, Env[string]] => [
    key,
    typeof value === 'string' ? { type: 'text', value } : { type: 'json', value },
  ])
  return {
    config: {
      name,
      compatibilityDate: compatibility_date,
      compatibilityFlags: [...compatibility_flags],
      manifest: {
        mainModule: 'worker.js',
        modules: {
          'worker.js': { type: 'esm', contents: WRAPPER },
          'chronicle.js': { type: 'esm', contents },
        },
      },
      env: {
        ...Object.fromEntries([...variables, ...limits]),
        ADMIN_TOKEN: { type: 'text', value: ADMIN_TOKEN },
        MASTER_KEY: { type: 'text', value: `1:${btoa('m'.repeat(32))}` },
        SESSION_KEY: { type: 'text', value: `1:${btoa('s'.repeat(32))}` },
        CHRONICLE_KV: { type: 'kv', id: 'metadata' },
        ANALYTICS: { type: 'analytics-engine-dataset', name: 'skewed' },
        FATAL: { type: 'text', value: fatal },
        CHRONICLE: { type: 'durable-object', worker: 'behind', exportName: 'Chronicle' },
      },
      exports: { Chronicle: { type: 'durable-object', storage: 'sqlite' } },
    },
  }
}
