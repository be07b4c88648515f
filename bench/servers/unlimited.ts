// The Worker with a rate limit that costs nothing. On the platform the binding counts in memory. The local runtime makes
// an object call for it, which costs more than the rest of a small request.
import worker, { Chronicle } from '../../worker/src/index.ts'

const free = { limit: () => Promise.resolve({ success: true }) }

const handle: NonNullable<ExportedHandler<Env>['fetch']> = worker.fetch

/** One environment for all requests, as the Worker expects it. */
let unlimited: Env | undefined

export { Chronicle }

export default {
  ...worker,
  fetch(request, env, ctx) {
    unlimited ??= { ...env, AUTH_LIMIT: free, FAILURE_LIMIT: free, SYNC_LIMIT: free }
    return handle(request, unlimited, ctx)
  },
} satisfies ExportedHandler<Env>
