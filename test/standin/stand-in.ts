import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { ZodError } from 'zod'
import { type Account, ApiError, loadAccount, newId, saveAccount } from '../../infra/local/cloud/account.ts'
import { noUploads } from './assets.ts'
import { type Authority, checkAuthority } from './authority.ts'
import type { Call, Cloud, SentFile, SentUpload } from './call.ts'
import { matchRoute } from './routes.ts'

const BASE = '/client/v4'

/** Part of Cloudflare's REST API that the clients under test need, served on loopback over an embedded account. */
export interface StandIn extends Authority {
  /** Base URL for CLOUDFLARE_BASE_URL or CLOUDFLARE_API_BASE_URL. */
  readonly url: string
  /** Folder of the account and the code, for `serveAccount`. */
  readonly folder: string
  readonly account: Account
  /** All requests since the start, in order. */
  readonly requests: readonly SeenRequest[]
  /** Refuses the next request that matches, as the API does during an outage. */
  failNext(method: string, path: RegExp, status: number): void
  /** Leaves the completion token out of the next reply to an upload of static assets, as the API was seen to do. */
  loseToken(): void
  /** Takes the account's name under workers.dev away, as in an account that never had a Worker. */
  forgetOwnName(): void
  /** Lets the Analytics Engine count what `read` returns. */
  countAnswers(read: Cloud['readAnswers']): void
  /** Changes the account without a request. */
  changeByHand(change: (account: Account, folder: string) => void): void
}

export interface SeenRequest {
  readonly method: string
  /** Path after the base, with the query. */
  readonly path: string
  readonly status: number
  /** Present in an upload of a script. */
  readonly metadata?: SentUpload['metadata']
}

interface Failure {
  readonly method: string
  readonly path: RegExp
  readonly status: number
}

type Received = Pick<Call, 'body' | 'upload' | 'files'>

/** Starts a stand-in with an empty account and a token of its own. Stops it at the end of the test. */
export async function newStandIn(accountId = newId()): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-standin-'))
  const account = loadAccount(folder)
  const cloud: Cloud = {
    account,
    accountId,
    ownName: 'stand-in',
    buckets: [],
    folder,
    versions: new Map(),
    uploads: noUploads(),
    readAnswers: async () => [],
  }
  const authority = { accountId, token: randomBytes(20).toString('hex') }
  const requests: SeenRequest[] = []
  const failures: Failure[] = []

  async function answer(request: IncomingMessage): Promise<Response> {
    const { method = 'GET' } = request
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const path = url.pathname.replace(BASE, '')
    const { upload, body, files } = await receive(request)
    const bearer = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const response = await envelope(() => {
      checkAuthority(authority, path, request.headers.authorization)
      checkFailures(failures, method, path)
      const { answer, params } = matchRoute(method, path)
      return answer({ cloud, params, query: url.searchParams, body, upload, files, bearer })
    })
    saveAccount(folder, account)
    const metadata = upload && { metadata: upload.metadata }
    requests.push({ method, path: path + url.search, status: response.status, ...metadata })
    return response
  }

  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return {
    ...authority,
    url: `${await serve(answer)}${BASE}`,
    folder,
    account,
    requests,
    failNext: (method, path, status) => failures.push({ method, path, status }),
    loseToken() {
      cloud.uploads.losesToken = true
    },
    forgetOwnName() {
      cloud.ownName = undefined
    },
    countAnswers(read) {
      cloud.readAnswers = read
    },
    changeByHand(change) {
      change(account, folder)
      saveAccount(folder, account)
    },
  }
}

/** Serves on loopback until the test ends. Returns the origin. */
async function serve(answer: (request: IncomingMessage) => Promise<Response>): Promise<string> {
  const server = createServer((request, response) => {
    answer(request)
      .then((result) => send(result, response))
      .catch((cause: unknown) => response.destroy(cause instanceof Error ? cause : undefined))
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

/** Lists the requests from the given one on that would change the account, as `DELETE /storage/kv/namespaces/{id}`. */
export function writesOf(standIn: StandIn, from = 0): readonly string[] {
  return standIn.requests
    .slice(from)
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => {
      const inAccount = path.replace(/^\/accounts\/[^/]+/, '')
      return `${method} ${inAccount.replaceAll(/[0-9a-f]{32}/g, '{id}')}`
    })
}

function checkFailures(failures: Failure[], method: string, path: string): void {
  const at = failures.findIndex((failure) => failure.method === method && failure.path.test(path))
  const [failure] = at < 0 ? [] : failures.splice(at, 1)
  if (failure) throw new ApiError(failure.status, 10013, 'the stand-in was told to fail')
}

async function receive(request: IncomingMessage): Promise<Received> {
  const bytes = await buffer(request)
  const type = request.headers['content-type'] ?? ''
  const nothing = { body: undefined, upload: undefined, files: [] }
  if (bytes.length === 0) return nothing
  if (type.startsWith('text/')) return { ...nothing, body: bytes.toString() }
  if (!type.startsWith('multipart/')) return { ...nothing, body: JSON.parse(bytes.toString()) }
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
  if (!form.has('metadata')) return { ...nothing, files: await filesOf(form) }
  const metadata: SentUpload['metadata'] = JSON.parse(await textOf(form, 'metadata'))
  const code = new TextEncoder().encode(await textOf(form, String(metadata.main_module)))
  return { ...nothing, upload: { metadata, code } }
}

function filesOf(form: FormData): Promise<readonly SentFile[]> {
  const parts = [...form].filter((part): part is [string, File] => part[1] instanceof File)
  return Promise.all(parts.map(async ([hash, file]) => ({ hash, type: file.type, text: await file.text() })))
}

async function textOf(form: FormData, name: string): Promise<string> {
  const part = form.get(name)
  return part instanceof File ? part.text() : (part ?? '')
}

async function envelope(answer: () => unknown): Promise<Response> {
  try {
    const result = await answer()
    if (result instanceof Response) return result
    return Response.json({ success: true, errors: [], messages: [], result })
  } catch (error) {
    if (error instanceof ApiError) return refuse(error.status, error.code, error.message)
    if (error instanceof ZodError) return refuse(400, 10001, error.message)
    throw error
  }
}

function refuse(status: number, code: number, message: string): Response {
  const errors = [{ code, message }]
  // Without this header, the clients would retry for minutes.
  const headers = { 'x-should-retry': 'false' }
  return Response.json({ success: false, errors, messages: [], result: null }, { status, headers })
}

async function send(result: Response, response: ServerResponse): Promise<void> {
  response.writeHead(result.status, Object.fromEntries(result.headers))
  response.end(Buffer.from(await result.arrayBuffer()))
}
