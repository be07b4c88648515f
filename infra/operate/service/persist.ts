import { callApi, type Reply } from './api-client.ts'
import type { Clock } from './clock.ts'

/** A service, the operator's credential for it, and how to wait for it. */
export interface Service {
  readonly api: string
  readonly adminToken: string
  readonly clock: Clock
  /** Aborted when the tool must stop. No request or wait starts after that. */
  readonly signal?: AbortSignal
}

/**
 * How long a request is retried, by the status of its refusals. The platform counts over a minute at most, so a client
 * that is refused for a quarter of an hour shares its address with one that does not stop. A deployment or an import
 * takes seconds, and an interrupted one never ends.
 */
const PATIENCE_MS: Readonly<Record<number, number>> = { 429: 900_000, 503: 120_000 }

/** The wait after a refusal without `Retry-After`. */
const RETRY_AFTER_SECONDS = 60

/** Longer waits are reported. */
const QUIET_MS = 5_000

type Refusal = Pick<Reply, 'status' | 'headers'>

/**
 * Retries a request while the service refuses it for now (429, and 503 with `Retry-After`), after the wait that the
 * service asks for. `isFinal` marks refusals that no retry changes. Returns the last refusal when patience runs out.
 */
export async function persist<R extends Refusal>(
  { clock, signal }: Pick<Service, 'clock' | 'signal'>,
  request: () => Promise<R>,
  isFinal: (reply: R) => boolean = () => false,
): Promise<R> {
  for (const began = clock.now(); ; ) {
    signal?.throwIfAborted()
    const reply = await request()
    const waitMs = isFinal(reply) ? undefined : waitMsOf(reply)
    const patienceMs = PATIENCE_MS[reply.status] ?? 0
    if (waitMs === undefined || clock.now() + waitMs - began > patienceMs) return reply
    if (waitMs > QUIET_MS)
      console.error(`waiting ${waitMs / 1000} s: the service accepts no more for now (${reply.status})`)
    await clock.sleep(waitMs, signal)
  }
}

/** Calls the API like `callApi`, with the retries of `persist`. */
export function askService(
  service: Pick<Service, 'api' | 'clock' | 'signal'>,
  request: string,
  call?: Parameters<typeof callApi>[2],
): Promise<Reply> {
  return persist(service, () => callApi(service.api, request, call))
}

/** How long to wait before a retry; undefined if a retry is useless. */
function waitMsOf({ status, headers }: Refusal): number | undefined {
  const told = headers.get('retry-after')
  if (status !== 429 && (status !== 503 || told === null)) return undefined
  const seconds = Number(told)
  return 1000 * (seconds >= 1 && seconds <= 3600 ? Math.ceil(seconds) : RETRY_AFTER_SECONDS)
}
