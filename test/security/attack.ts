import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { type RunningCloud, startCloud } from '../../infra/local/start-cloud.ts'
import { allowMuch, GENEROUS, secretsOf } from '../support/cloud/cloud.ts'
import { keepSecret, secretsIn } from '../support/secrets.ts'
import { converse } from './storm/frames.ts'
import { random } from './storm/random.ts'
import type { Sent, Weather } from './storm/storm.ts'

/**
 * Runs all generated attacks, of which CI runs a fixed sample: `npm run attack -- --requests 100000`. First sends a storm
 * of mutated requests over HTTP to the dev stack in a process of its own, then runs every security test in full.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '100000' } } })

// The table of routes imports its handlers, and those the platform's module, of which nothing is called.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'cloudflare:workers'
      ? { url: 'data:text/javascript,export function waitUntil() {}', shortCircuit: true }
      : next(specifier, context),
})
const { examine, examineFrame, generate } = await import('./storm/storm.ts')

const WORKERS = 8

/** Headers without which the runtime refuses a handshake itself (RFC 6455, 4.1). */
const HANDSHAKE = {
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.from('a key of 16 byte').toString('base64'),
}

/** Share of the requests after which the runtime's own caches are full. */
const WARM_UP = 0.2

console.log(
  `Sending ${values.requests} mutated requests to a local service, then every security test: some minutes`,
)
const local = mkdtempSync(join(tmpdir(), 'chronicle-attack-'))
const logged: string[] = []
const cloud = await startCloud({
  local,
  port: 0,
  config: GENEROUS,
  onLog: (_, line) => secretsIn(line).length > 0 && logged.push(line),
})
keepSecret(secretsOf(local))

try {
  await allowMuch(cloud)
  await storm(cloud, Number(values.requests))
} finally {
  await cloud.stop()
  rmSync(local, { recursive: true, force: true })
}
const env = { ...process.env, ATTACK: 'thorough' }
const rest = spawnSync('vitest', ['run', '--project', 'security'], { env, stdio: 'inherit' })
process.exitCode = rest.status ?? 1

async function storm(target: RunningCloud, requests: number): Promise<void> {
  const began = Date.now()
  const pool = new Pool(target.url, { connections: WORKERS })
  const weather: Weather = {}
  const at = { sent: 0, unsendable: 0, spaces: 0, memory: 0 }

  async function rage(seed: number): Promise<void> {
    const by = random(seed)
    let session = await open(pool, target, `s${seed}-0`)
    while (at.sent < requests) {
      at.sent += 1
      if (at.sent === Math.floor(requests * WARM_UP)) at.memory = memoryOf(target.workerdPid)
      const generated = generate(by, { session, admin: target.outputs.adminToken })
      // The runtime turns every request for a socket into a GET.
      const sent = wantsSocket(generated) ? { ...generated, method: 'GET', body: null } : generated
      const response = wantsSocket(sent) ? await knock(target.url, sent, weather) : await send(pool, sent)
      if (response === null) at.unsendable += 1
      else if (response === 'socket') weather['101'] = (weather['101'] ?? 0) + 1
      else if ((await examine(sent, response, weather)) === 'spent')
        session = await open(pool, target, `s${seed}-${++at.spaces}`)
    }
  }

  await Promise.all(Array.from({ length: WORKERS }, (_, index) => rage(1_000 + index)))
  await pool.close()
  const memory = memoryOf(target.workerdPid)
  const seconds = Math.round((Date.now() - began) / 1000)
  console.info(`${at.sent} requests in ${seconds} s, ${at.unsendable} not sendable, ${at.spaces} spaces`)
  console.info(JSON.stringify(weather, null, 1))
  console.info(`memory of the runtime: ${at.memory} MB after ${WARM_UP * 100} %, ${memory} MB at the end`)
  if (logged.length > 0) throw new Error(`secrets in the log:\n${logged.slice(0, 5).join('\n')}`)
}

async function open(pool: Pool, { outputs }: RunningCloud, space: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const post = async (path: string, body: object, more: object = {}) => {
    const options = {
      method: 'POST' as const,
      path,
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    }
    return (await (await pool.request(options)).body.json()) as Record<string, string>
  }
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const admin = { authorization: `Bearer ${outputs.adminToken}` }
  const { token } = await post('/api/tokens', { subject: 's', space, scopes }, admin)
  const { session = '' } = await post('/api/auth', { token, clientId: 'c' })
  return session
}

function wantsSocket({ headers }: Sent): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'upgrade')
}

/** Requests a socket and leaves it at once. The pool would wait for ever for the data after a 101. */
function knock(
  url: string,
  { method, path, headers, body, messages }: Sent,
  weather: Weather,
): Promise<Response | 'socket' | null> {
  return new Promise((resolve, reject) => {
    const asking = prepare(async () => request(url + path, { method, headers: { ...headers, ...HANDSHAKE } }))
    asking.then(
      (asked) => {
        asked.once('upgrade', (_, socket, head) => {
          const hear = (frame: string) => examineFrame(frame, weather)
          converse(socket, head, { messages, hear }).then((code) => {
            const seen = `socket: closed ${code}`
            if (code !== null) weather[seen] = (weather[seen] ?? 0) + 1
            if (code === 1011) reject(new Error(`${seen}: ${messages}`))
            resolve('socket')
          }, reject)
        })
        asked.once('response', (answered) => {
          buffer(answered).then((bytes) => resolve(toResponse(answered, bytes)), reject)
        })
        asked.once('error', reject)
        asked.end(body ?? undefined)
      },
      (cause: Error & { code?: string }) =>
        cause.code?.startsWith('ERR_INVALID') ? resolve(null) : reject(cause),
    )
  })
}

function toResponse(
  { statusCode = 0, headers }: Pick<IncomingMessage, 'statusCode' | 'headers'>,
  bytes: ArrayBuffer | Buffer<ArrayBuffer>,
): Response {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((item): [string, string] => [name, item]),
  )
  const hasBody = ![204, 304].includes(statusCode)
  return new Response(hasBody ? bytes : null, { status: statusCode, headers: pairs })
}

/** Returns null for a request that no client can send. */
async function send(pool: Pool, { method, path, headers, body }: Sent): Promise<Response | null> {
  const asked = prepare(() => pool.request({ method: method as 'GET', path, headers, body }))
  const answered = await asked.catch((cause: Error & { code?: string }) => {
    if (cause.code === 'UND_ERR_INVALID_ARG') return null
    throw new Error(`${cause.message}: ${method} ${path} ${JSON.stringify(headers)}`, { cause })
  })
  if (answered === null) return null
  return toResponse(answered, await answered.body.arrayBuffer())
}

async function prepare<T>(work: () => Promise<T>): Promise<T> {
  return work()
}

/** Resident memory of a process, MB. */
function memoryOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}
