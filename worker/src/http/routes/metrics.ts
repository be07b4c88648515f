import { sumTotals } from '../../core/report/listing.ts'
import { metricsText } from '../../core/report/metrics.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { shardsOf } from '../exchange/registry.ts'

/** `GET /api/metrics`: the sums of what the spaces last reported, as OpenMetrics text. Wakes no space. */
export async function showMetrics({ env }: Exchange): Promise<Response> {
  const totals = sumTotals(await Promise.all(shardsOf(env).map((shard) => shard.totals())))
  return new Response(metricsText(totals, env), {
    headers: { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' },
  })
}
