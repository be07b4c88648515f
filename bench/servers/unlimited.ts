// The Worker with rate limits that cost nothing.
import worker, { Chronicle } from '../../worker/src/index.ts'
import { FREE_LIMITS } from './free-limits.ts'

const handle: NonNullable<ExportedHandler<Env>['fetch']> = worker.fetch

/** One environment for all requests, as the Worker expects it. */
let unlimited: Env | undefined

export { Chronicle }

export default {
  ...worker,
  fetch(request, env, ctx) {
    unlimited ??= { ...env, ...FREE_LIMITS }
    return handle(request, unlimited, ctx)
  },
} satisfies ExportedHandler<Env>
