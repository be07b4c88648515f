import { callApi, type Reply } from './api-client.ts'
import type { Clock } from './clock.ts'

/** A service, the operator's way in, and how to wait for it. */
export interface Service {
  readonly api: string
  readonly adminToken: string
  readonly clock: Clock
  /** Aborted when the tool is to stop: nothing is asked or waited for any more. */
  readonly signal?: AbortSignal
}

/**
 * How long a request is repeated, by the status of its refusals. The platform counts over a minute at most, so who is
 * refused for a quarter of an hour shares the address with somebody who does not stop. A deployment or an import that
 * is under way takes seconds; one that was broken off never ends.
 */
const PATIENCE_MS: Readonly<Record<number, number>> = { 429: 900_000, 503: 120_000 }

/** A refusal that does not say when to come again is as good as one that says this, s. */
const RETRY_AFTER_SECONDS = 60

/** A wait that is longer than this is said, ms. */
const QUIET_MS = 5_000

type Refusal = Pick<Reply, 'status' | 'headers'>

/**
 * Repeats a request while the service says to come again later (429, and 503 with `Retry-After`), as late as it says.
 * `isFinal`: a reply that is an answer all the same. Gives up with the last refusal.
 */
export async function persist<R extends Refusal>(
  { clock, signal }: Pick<Service, 'clock' | 'signal'>,
  request: () => Promise<R>,
  isFinal: (reply: R) => boolean = () => false,
): Promise<R> {
  for (const began = clock.now(); ; ) {
    signal?.throwIfAborted()
    const reply = await request()
    const wait = isFinal(reply) ? undefined : waitOf(reply)
    const patience = PATIENCE_MS[reply.status] ?? 0
    if (wait === undefined || clock.now() + wait - began > patience) return reply
    if (wait > QUIET_MS)
      console.error(`waiting ${wait / 1000} s: the service takes no more for now (${reply.status})`)
    await clock.sleep(wait, signal)
  }
}

/** Asks as `callApi` does, and waits as the service says. */
export function askService(
  service: Pick<Service, 'api' | 'clock' | 'signal'>,
  request: string,
  call?: Parameters<typeof callApi>[2],
): Promise<Reply> {
  return persist(service, () => callApi(service.api, request, call))
}

/** How long to wait before the request is repeated, ms; undefined if that is of no use. */
function waitOf({ status, headers }: Refusal): number | undefined {
  const told = headers.get('retry-after')
  if (status !== 429 && (status !== 503 || told === null)) return undefined
  const seconds = Number(told)
  return 1000 * (seconds >= 1 && seconds <= 3600 ? Math.ceil(seconds) : RETRY_AFTER_SECONDS)
}
