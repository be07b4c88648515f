import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

/** Name of the browser's executable, and of its Debian package. */
const PROGRAM = 'chromium'

/** Public key of the extension. Chromium derives the id from the key, in any folder. */
const EXTENSION_KEY = Buffer.from('the extension of the tests of chronicle-sync').toString('base64')

/** Origin of the extension's pages. An id is 16 bytes of a SHA-256, with hex digits written as a to p. */
export const EXTENSION_ORIGIN = `chrome-extension://${createHash('sha256')
  .update(Buffer.from(EXTENSION_KEY, 'base64'))
  .digest('hex')
  .slice(0, 32)
  .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))}`

export function hasChromium(): boolean {
  return spawnSync(PROGRAM, ['--version']).status === 0
}

/** Page that runs scripts. */
export interface Page {
  /** Evaluates an expression, and settles as its promise does. */
  run(expression: string): Promise<unknown>
}

export interface Chromium {
  open(url: string): Promise<Page>
  /** Loads an unpacked extension, and opens a page of it. */
  openExtension(): Promise<Page>
  close(): Promise<void>
}

type Params = Readonly<Record<string, unknown>>

interface Reply {
  readonly id?: number
  readonly error?: { readonly message: string }
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's replies are read as an untyped client does
  readonly result?: any
}

/** Headless browser, driven by the DevTools protocol over a pipe. A pipe has no port that others could reach. */
export async function startChromium(): Promise<Chromium> {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-chromium-'))
  const browser = launch(folder)
  const call = protocolOf(browser)

  async function open(url: string): Promise<Page> {
    const { targetId } = await call('Target.createTarget', { url })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    const page: Page = { run: (expression) => evaluate(call, sessionId, expression) }
    // A new target is blank at first. A script that runs before the navigation is lost.
    const isThere = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`
    while (!(await page.run(isThere).catch(() => false))) await setTimeout(10)
    return page
  }

  return {
    open,
    async openExtension() {
      await call('Extensions.loadUnpacked', { path: writeExtension(folder) })
      return open(`${EXTENSION_ORIGIN}/page.html`)
    },
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve))
      browser.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function launch(folder: string): ChildProcess {
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

type Call = (method: string, params?: Params, sessionId?: string) => Promise<Reply['result']>

/** Sends and receives JSON messages, each followed by a zero byte: to the browser on descriptor 3, back on 4. */
function protocolOf(browser: ChildProcess): Call {
  const [, , , input, output] = browser.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, PromiseWithResolvers<Reply['result']>>()
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages) settle(JSON.parse(message))
  })
  browser.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser ended'))
  })

  function settle({ id = 0, error, result }: Reply): void {
    if (error === undefined) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(error.message))
    waiting.delete(id)
  }

  let last = 0
  return (method, params = {}, sessionId) => {
    last += 1
    const answer = Promise.withResolvers<Reply['result']>()
    waiting.set(last, answer)
    input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`)
    return answer.promise
  }
}

async function evaluate(call: Call, sessionId: string, expression: string): Promise<unknown> {
  const given = { expression, awaitPromise: true, returnByValue: true }
  const { result, exceptionDetails } = await call('Runtime.evaluate', given, sessionId)
  if (exceptionDetails === undefined) return result.value
  throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
}

function writeExtension(folder: string): string {
  const path = join(folder, 'extension')
  mkdirSync(path)
  const manifest = { manifest_version: 3, name: 'A client', version: '1', key: EXTENSION_KEY }
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest))
  writeFileSync(join(path, 'page.html'), '<!doctype html><title>A client</title>')
  return path
}
