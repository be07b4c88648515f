// The Worker with counters around it. `GET /cost/usage` returns the work since the last time, and `POST /cost/stop` ends
// the counting, because it takes processor time itself.

import { meterUsage, type UsageMeter } from '../../test/support/usage.ts'
import worker, { Chronicle as Product, Registry as ProductRegistry } from '../../worker/src/index.ts'
import { FREE_LIMITS } from '../servers/free-limits.ts'

let meter: UsageMeter | undefined
const events = { requests: 0, messages: 0, alarms: 0 }
let isStopped = false

function metered(env: Env): UsageMeter {
  meter ??= meterUsage(env)
  return meter
}

/** The object of the product and its sockets and alarms, counted. */
export class Chronicle extends Product {
  constructor(ctx: DurableObjectState, env: Env) {
    if (!isStopped) metered(env).watch(ctx.storage)
    super(ctx, { ...env, ...FREE_LIMITS })
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    events.messages += 1
    return super.webSocketMessage(socket, message)
  }

  override alarm(): Promise<void> {
    events.alarms += 1
    return super.alarm()
  }

  /** Runs a table's definition, then a statement twice in a row with the same values: the rows that the second one writes. */
  rowsWritten(table: string, statement: string): number {
    const { sql } = this.ctx.storage
    sql.exec(table)
    sql.exec(statement)
    return sql.exec(statement).rowsWritten
  }
}

/** The registry of the product, counted. */
export class Registry extends ProductRegistry {
  constructor(ctx: DurableObjectState, env: Env) {
    if (!isStopped) metered(env).watch(ctx.storage)
    super(ctx, env)
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/cost/usage') return Response.json(takeAll(env))
    if (pathname === '/cost/rows') {
      const peer = env.CHRONICLE.getByName(crypto.randomUUID()) as unknown as Chronicle
      return Response.json(
        await peer.rowsWritten(searchParams.get('table') ?? '', searchParams.get('statement') ?? ''),
      )
    }
    if (pathname === '/cost/stop') {
      isStopped = true
      metered(env)[Symbol.dispose]()
      return Response.json({})
    }
    events.requests += 1
    return worker.fetch(request, { ...(isStopped ? env : metered(env).over(env)), ...FREE_LIMITS })
  },
}

function takeAll(env: Env): object {
  const taken = { ...metered(env).take(), ...events }
  Object.assign(events, { requests: 0, messages: 0, alarms: 0 })
  return taken
}
