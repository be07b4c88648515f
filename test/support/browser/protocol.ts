import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Name of the browser's executable, and of its Debian package. */
export const PROGRAM = 'chromium'

export type Params = Readonly<Record<string, unknown>>

// biome-ignore lint/suspicious/noExplicitAny: the protocol's replies are read as an untyped client does
export type Result = any

/** Call of the DevTools protocol: of the whole browser, or of the page of a session. */
export type Call = (method: string, params?: Params, sessionId?: string) => Promise<Result>

export interface Protocol {
  readonly call: Call
  /** Calls back with the parameters of each event of this name in a session. */
  on(sessionId: string, method: string, listener: (params: Result) => void): void
}

interface Message {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly result?: Result
  readonly method?: string
  readonly params?: Result
  readonly sessionId?: string
}

interface Waiting extends PromiseWithResolvers<Result> {
  readonly sessionId: string | undefined
}

/** Events after which a session answers no call. */
const ENDINGS = ['Inspector.targetCrashed', 'Inspector.detached', 'Target.detachedFromTarget']

export function launch(folder: string): ChildProcess {
  const options = [
    '--headless=new',
    // The root user of a container has no namespaces for the sandbox. All pages come from the test.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--remote-debugging-pipe',
    '--enable-unsafe-extension-debugging',
    `--user-data-dir=${join(folder, 'profile')}`,
  ]
  return spawn(PROGRAM, options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
}

/** Sends and receives JSON messages, each followed by a zero byte: to the browser on descriptor 3, back on 4. */
export function protocolOf(browser: ChildProcess): Protocol {
  const [, , , input, output] = browser.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, Waiting>()
  const listeners = new Map<string, (params: Result) => void>()
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages) take(JSON.parse(message))
  })
  // A message to a browser that has been killed is lost.
  input.on('error', () => {})
  browser.once('exit', () => fail(() => true, 'the browser ended'))

  function fail(isOver: (call: Waiting) => boolean, reason: string): void {
    for (const [id, call] of waiting) {
      if (!isOver(call)) continue
      waiting.delete(id)
      call.reject(new Error(reason))
    }
  }

  function take({ id, error, result, method, params, sessionId }: Message): void {
    if (id === undefined) {
      const session = sessionId ?? params.sessionId
      if (method && ENDINGS.includes(method)) fail((call) => call.sessionId === session, 'the page ended')
      listeners.get(`${session} ${method}`)?.(params)
      return
    }
    if (error === undefined) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(error.message))
    waiting.delete(id)
  }

  let last = 0
  return {
    call(method, params = {}, sessionId) {
      last += 1
      const answer = Promise.withResolvers<Result>()
      waiting.set(last, { ...answer, sessionId })
      input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`)
      return answer.promise
    },
    on: (sessionId, method, listener) => void listeners.set(`${sessionId} ${method}`, listener),
  }
}
