import { withStubs } from './unkind/spaces.ts'

/** Work of a piece of the service, by the platform's own counters and by calls of its interfaces. */
export interface Usage {
  /** Calls of objects. The platform bills each as a request. */
  calls: number
  /** Bytes of the arguments and results of these calls: texts in UTF-8, 8 for a number, 1 for anything else. */
  callBytes: number
  statements: number
  rowsRead: number
  rowsWritten: number
  /** The platform bills each alarm that is set as a row written. */
  alarmsSet: number
  kvReads: number
  kvWrites: number
  /** Calls of `crypto.subtle`. */
  cryptoCalls: number
  logLines: number
  dataPoints: number
}

/** Counts the work of this isolate until disposed. */
export interface UsageMeter extends Disposable {
  /** Makes an environment whose calls of objects are counted. */
  over(env: Env): Env
  /** Counts the statements and alarms of all objects. `storage` is that of any object. Repeated calls have no effect. */
  watch(storage: DurableObjectStorage): void
  /** Returns the usage since the last time. */
  take(): Usage
}

type Methods = Record<string, (...given: unknown[]) => unknown>
type Cursor = Pick<SqlStorageCursor<Record<string, SqlStorageValue>>, 'rowsRead' | 'rowsWritten'>

const SUBTLE = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
  'sign',
  'verify',
]

/** Replaces methods of prototypes, because the runtime passes its own objects to classes and takes no wrappers. */
export function meterUsage(env: Env): UsageMeter {
  const usage = noUsage()
  const ends: (() => void)[] = []
  const count = (target: object, names: readonly string[], before: () => void) => {
    for (const name of names) {
      const end = wrap(target, name, (call) => {
        before()
        return call()
      })
      ends.push(end)
    }
  }

  count(crypto.subtle, SUBTLE, () => (usage.cryptoCalls += 1))
  count(console, ['debug', 'error', 'info', 'log', 'warn'], () => (usage.logLines += 1))
  const kv = Object.getPrototypeOf(env.CHRONICLE_KV)
  count(kv, ['get', 'getWithMetadata', 'list'], () => (usage.kvReads += 1))
  count(kv, ['delete', 'put'], () => (usage.kvWrites += 1))
  count(Object.getPrototypeOf(env.ANALYTICS), ['writeDataPoint'], () => (usage.dataPoints += 1))

  let isWatching = false

  return {
    over: (env) => ({ ...env, CHRONICLE: callsOf(env.CHRONICLE, usage) }),

    watch(storage) {
      if (isWatching) return
      isWatching = true
      const end = wrap(Object.getPrototypeOf(storage.sql), 'exec', (call) => {
        usage.statements += 1
        const cursor = call() as Cursor
        // Only its own object may use a cursor, and no cursor is read across an await.
        queueMicrotask(() => {
          usage.rowsRead += cursor.rowsRead
          usage.rowsWritten += cursor.rowsWritten
        })
        return cursor
      })
      ends.push(end)
      count(Object.getPrototypeOf(storage), ['setAlarm'], () => (usage.alarmsSet += 1))
    },

    take() {
      const taken = { ...usage }
      Object.assign(usage, noUsage())
      return taken
    },

    [Symbol.dispose]() {
      for (const end of ends) end()
    },
  }
}

export function noUsage(): Usage {
  return {
    calls: 0,
    callBytes: 0,
    statements: 0,
    rowsRead: 0,
    rowsWritten: 0,
    alarmsSet: 0,
    kvReads: 0,
    kvWrites: 0,
    cryptoCalls: 0,
    logLines: 0,
    dataPoints: 0,
  }
}

/** Wraps a method, and returns the function that restores it. */
function wrap(target: object, name: string, around: (call: () => unknown) => unknown): () => void {
  const methods = target as Methods
  const isOwn = Object.hasOwn(methods, name)
  const original = methods[name]
  if (typeof original !== 'function') throw new Error(`the runtime has no method ${name} to count`)
  methods[name] = function (this: unknown, ...given) {
    return around(() => Reflect.apply(original, this, given))
  }
  return () => {
    if (isOwn) methods[name] = original
    else delete methods[name]
  }
}

function callsOf(namespace: Env['CHRONICLE'], usage: Usage): Env['CHRONICLE'] {
  return withStubs(namespace, (_, call) => (...given) => {
    usage.calls += 1
    usage.callBytes += bytesOf(given)
    const result = call(...given)
    const add = (value: unknown) => {
      usage.callBytes += bytesOf(value)
    }
    // The caller handles a failure.
    Promise.resolve(result).then(add, () => undefined)
    return result
  })
}

const encoder = new TextEncoder()

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return encoder.encode(value).length
  if (typeof value === 'number') return 8
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + bytesOf(item), 0)
  if (!isPlain(value)) return 1
  return Object.entries(value).reduce((sum, [name, member]) => sum + name.length + bytesOf(member), 0)
}

/** Whether a value is an object without a class of its own. A response or stream is sent as a reference. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
