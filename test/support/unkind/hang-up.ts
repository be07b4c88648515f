import { exports } from 'cloudflare:workers'

/** Sends a request through the runtime, and hangs up after `afterMs` without waiting for the reply. */
export async function hangUp(request: Request, afterMs: number): Promise<void> {
  const aborter = new AbortController()
  const asking = exports.default.fetch(new Request(request, { signal: aborter.signal }))
  setTimeout(() => aborter.abort(), afterMs)
  const answered = await asking.then(
    () => true,
    () => false,
  )
  if (answered) throw new Error('the reply came before the client hung up')
}
