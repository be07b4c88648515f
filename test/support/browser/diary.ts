import type { Page } from './chromium.ts'
import type { Result } from './protocol.ts'

/** Request of a page that has a response. */
export interface Asked {
  readonly method: string
  readonly url: string
  readonly status: number
  /** The id that the service gave the request; empty without one. */
  readonly requestId: string
  /** The `Authorization` header; empty without one. */
  readonly credential: string
}

/** Record of a page, over all its loads. */
export interface Diary {
  /** Violations of its policy, exceptions that nothing caught, and errors in its console. */
  readonly faults: readonly string[]
  /** Addresses that it stood at, asked for, or sent as the referrer. */
  readonly addresses: readonly string[]
  readonly asked: readonly Asked[]
}

/** Reports each violation of the policy through a binding. */
const REPORTER = `addEventListener('securitypolicyviolation', (event) =>
  report(\`policy: \${event.violatedDirective} of \${event.blockedURI} \${event.sourceFile}:\${event.lineNumber} \${event.sample}\`))`

/** Begins the diary of a page, which must not have loaded anything yet. */
export async function keepDiary(page: Page): Promise<Diary> {
  const faults: string[] = []
  const addresses: string[] = []
  const asked: Asked[] = []
  const sent = new Map<string, Result>()
  page.on('Runtime.bindingCalled', ({ payload }) => faults.push(payload))
  page.on('Runtime.exceptionThrown', ({ exceptionDetails: { text, exception } }) =>
    faults.push(exception?.description ?? text),
  )
  page.on('Runtime.consoleAPICalled', ({ type, args }) => {
    if (type === 'error' || type === 'warning')
      faults.push(args.map(({ value, description }: Result) => value ?? description).join(' '))
  })
  page.on('Log.entryAdded', ({ entry: { source, level, text, url = '' } }) => {
    // The browser logs each refusal of the API. A refused file of the console is a fault.
    const isRefusal = source === 'network' && /^\/(api\/|console\/code$)/.test(pathOf(url))
    if (level === 'error' && !isRefusal) faults.push(`${source}: ${text} ${url}`)
  })
  page.on('Page.frameNavigated', ({ frame: { url, urlFragment = '' } }) => addresses.push(url + urlFragment))
  page.on('Page.navigatedWithinDocument', ({ url }) => addresses.push(url))
  page.on('Network.webSocketCreated', ({ url }) => addresses.push(url))
  page.on('Network.requestWillBeSent', ({ requestId, request }) => {
    addresses.push(request.url, headerOf(request, 'referer'))
    sent.set(requestId, request)
  })
  page.on('Network.responseReceived', ({ requestId, response: { status, headers } }) => {
    const request = sent.get(requestId)
    if (!request) return
    const { method, url } = request
    const credential = headerOf(request, 'authorization')
    asked.push({ method, url, status, credential, requestId: headerOf({ headers }, 'x-request-id') })
  })
  const end = ({ requestId }: Result) => sent.delete(requestId)
  page.on('Network.loadingFinished', end)
  page.on('Network.loadingFailed', end)
  for (const domain of ['Runtime', 'Log', 'Network']) await page.call(`${domain}.enable`)
  await page.call('Runtime.addBinding', { name: 'report' })
  await page.call('Page.addScriptToEvaluateOnNewDocument', { source: REPORTER })
  return { faults, addresses, asked }
}

function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? ''
}

function headerOf({ headers }: Pick<Result, 'headers'>, wanted: string): string {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)
  return String(found?.[1] ?? '')
}
