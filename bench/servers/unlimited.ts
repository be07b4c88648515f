// The Worker with rate limits that cost nothing, at the edge and in the objects, which ask them for each push of a socket.
import worker, { Chronicle as Product, Registry } from '../../worker/src/index.ts'
import { FREE_LIMITS } from './free-limits.ts'

const handle: NonNullable<ExportedHandler<Env>['fetch']> = worker.fetch

/** One environment for all requests, as the Worker expects it. */
let unlimited: Env | undefined

export { Registry }

/** The object of the product. */
export class Chronicle extends Product {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...FREE_LIMITS })
  }
}

export default {
  ...worker,
  fetch(request, env, ctx) {
    unlimited ??= { ...env, ...FREE_LIMITS }
    return handle(request, unlimited, ctx)
  },
} satisfies ExportedHandler<Env>
