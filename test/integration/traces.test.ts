import { expect, onTestFinished, test } from 'vitest'
import { startRuntime, type Traced } from './runtime.ts'

const ROOT = `${import.meta.dirname}/../..`
const JSON_TYPE = { 'content-type': 'application/json' }

/** Names of our own spans. The platform has spans of other names. */
const OWN = ['admission', 'seal', 'decide', 'commit', 'pull']

interface Served {
  readonly url: string
  readonly session: string
  readonly events: Traced[]
  readonly lines: string[]
}

/** Serves the Worker with traces of everything, and opens a session. */
async function serve(): Promise<Served> {
  const events: Traced[] = []
  const lines: string[] = []
  const { url, adminToken, stop } = await startRuntime({
    worker: ROOT,
    objects: ROOT,
    onTelemetry: (event) => (typeof event === 'string' ? lines.push(event) : events.push(event)),
  })
  onTestFinished(stop)
  const body = { subject: 'ann', scopes: ['sync:read', 'sync:write'] }
  const { token } = await post(`${url}/api/tokens`, body, adminToken)
  const { session } = await post(`${url}/api/auth`, { token, clientId: 'phone' })
  return { url, session: String(session), events, lines }
}

async function post(url: string, body: object, bearer?: string): Promise<Record<string, unknown>> {
  const headers = { ...JSON_TYPE, ...(bearer && { authorization: `Bearer ${bearer}` }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(response.ok).toBe(true)
  return (await response.json()) as Record<string, unknown>
}

/** Returns the events of the trace of a request, once this span of ours has ended in it. */
async function traceOf({ events }: Served, requestId: string, last: string): Promise<readonly Traced[]> {
  const named = () => events.find(({ attributes }) => attributes?.request_id === requestId)
  const trace = () => events.filter(({ traceId }) => traceId === named()?.traceId)
  const awaited = () => trace().find(({ type, name }) => type === 'spanOpen' && name === last)?.spanId
  const ended = () => trace().find(({ type, spanId }) => type === 'spanClose' && spanId === awaited())
  await expect.poll(ended).toBeDefined()
  return trace()
}

function spansOf(trace: readonly Traced[]): readonly string[] {
  const spans = trace.filter(({ type, name }) => type === 'spanOpen' && OWN.includes(String(name)))
  return spans.map(({ name }) => String(name))
}

test('shows the parts of a sync as spans of one trace, under the request id, with no key and no value', async () => {
  const served = await serve()
  const changes = [{ key: 'canary-key', value: 'canary-value', timestamp: 1 }]
  const headers = {
    ...JSON_TYPE,
    authorization: `Bearer ${served.session}`,
    'x-request-id': 'from-the-client',
  }
  const body = JSON.stringify({ batch: 1, cursor: null, changes })
  const response = await fetch(`${served.url}/api/sync`, { method: 'POST', headers, body })
  expect(await response.text()).toContain('"success":true')
  const trace = await traceOf(served, 'from-the-client', 'pull')
  expect(spansOf(trace)).toEqual(['admission', 'seal', 'decide', 'commit', 'pull'])
  const roots = trace.filter(({ type }) => type === 'onset').map(({ name }) => name)
  expect(roots).toEqual(['fetch', 'jsrpc'])
  expect(trace.filter(({ text }) => text.includes('canary'))).toEqual([])
  // The runtime tells a tail Worker all headers of the request. The platform's traces keep only some harmless ones.
  const spans = trace.filter(({ type }) => type !== 'onset')
  expect(spans.filter(({ text }) => text.includes(served.session))).toEqual([])
})

test('names the trace of a push on a socket by the id in its log line', async () => {
  const served = await serve()
  const { ticket } = await post(`${served.url}/api/live/ticket`, {}, served.session)
  const address = `${served.url.replace('http', 'ws')}/api/live`
  const socket = new WebSocket(address, ['chronicle.v1', `ticket.${ticket}`])
  onTestFinished(() => socket.close())
  const acknowledged = new Promise((resolve) => {
    socket.addEventListener('message', ({ data }) => JSON.parse(String(data)).type === 'ack' && resolve(data))
  })
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const changes = [{ key: 'canary-key', value: 'canary-value', timestamp: 1 }]
  socket.send(JSON.stringify({ type: 'push', id: 'a', body: { batch: 1, changes } }))
  expect(await acknowledged).toContain('"success":true')
  const line = () => served.lines.find((line) => line.includes('"PUSH"'))
  await expect.poll(line).toBeDefined()
  const trace = await traceOf(served, JSON.parse(String(line())).requestId, 'commit')
  expect(spansOf(trace)).toEqual(['admission', 'seal', 'decide', 'commit'])
  expect(trace.filter(({ text }) => text.includes('canary'))).toEqual([])
})
