import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { launch, type Params, PROGRAM, type Protocol, protocolOf, type Result } from './protocol.ts'

/** Public key of the extension. Chromium derives the id from the key, in any folder. */
const EXTENSION_KEY = Buffer.from('the extension of the tests of chronicle-sync').toString('base64')

/** Origin of the extension's pages. An id is 16 bytes of a SHA-256, with hex digits written as a to p. */
export const EXTENSION_ORIGIN = `chrome-extension://${createHash('sha256')
  .update(Buffer.from(EXTENSION_KEY, 'base64'))
  .digest('hex')
  .slice(0, 32)
  .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))}`

let isInstalled: boolean | undefined

/** Whether this machine has a browser. The first caller without one is told what its tests lack. */
export function hasChromium(lacking: string): boolean {
  if (isInstalled !== undefined) return isInstalled
  isInstalled = spawnSync(PROGRAM, ['--version']).status === 0
  if (!isInstalled)
    console.warn(`SKIPPED: ${lacking}. Install the package \`${PROGRAM}\` (Debian), which .ci/run does.`)
  return isInstalled
}

/** Page that runs scripts. */
export interface Page {
  /** Evaluates an expression, and settles as its promise does. */
  run(expression: string): Promise<unknown>
  /** Calls a method of the DevTools protocol for this page. */
  call(method: string, params?: Params): Promise<Result>
  /** Calls back with each event of this name. Another listener of the same event takes its place. */
  on(method: string, listener: (params: Result) => void): void
  /** Closes the tab without asking the page. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** Profile to open the page in, of `newProfile`. */
  readonly profile?: string
  /** Script that runs before any script of the page. */
  readonly first?: string
}

export interface Chromium {
  /** Opens a tab that is visible, and waits until the page is there. */
  open(url: string, options?: OpenOptions): Promise<Page>
  /** Loads an unpacked extension, and opens a page of it. */
  openExtension(): Promise<Page>
  /** Makes a profile: its pages share nothing with those of others. */
  newProfile(): Promise<string>
  close(): Promise<void>
}

/** Headless browser, driven by the DevTools protocol over a pipe. A pipe has no port that others could reach. */
export async function startChromium(): Promise<Chromium> {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-chromium-'))
  const browser = launch(folder)
  const protocol = protocolOf(browser)
  const { call } = protocol

  async function open(url: string, { profile, first }: OpenOptions = {}): Promise<Page> {
    const options = { url: 'about:blank', newWindow: true, ...(profile && { browserContextId: profile }) }
    const { targetId } = await call('Target.createTarget', options)
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    const page = pageOf(protocol, targetId, sessionId)
    await page.call('Page.enable')
    if (first) await page.call('Page.addScriptToEvaluateOnNewDocument', { source: first })
    await page.call('Page.navigate', { url })
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
    async newProfile() {
      return (await call('Target.createBrowserContext')).browserContextId
    },
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve))
      browser.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function pageOf({ call, on }: Protocol, targetId: string, sessionId: string): Page {
  return {
    run: (expression) => evaluate((method, params) => call(method, params, sessionId), expression),
    call: (method, params) => call(method, params, sessionId),
    on: (method, listener) => on(sessionId, method, listener),
    close: () => call('Target.closeTarget', { targetId }),
  }
}

async function evaluate(call: Page['call'], expression: string): Promise<unknown> {
  const given = { expression, awaitPromise: true, returnByValue: true }
  const { result, exceptionDetails } = await call('Runtime.evaluate', given)
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
