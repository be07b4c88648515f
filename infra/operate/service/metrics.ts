import { z } from 'zod'
import { followProxy, withoutSlash } from '../../doctor/cloudflare-api.ts'

/** The account whose dataset is read, as the environment names it. */
export interface MetricsSource {
  readonly baseUrl: string | undefined
  readonly accountId: string
  readonly token: string
  /** The dataset of the stack, like `chronicle_sync_prod`. */
  readonly dataset: string
}

/** The requests that one version answered before or since a moment, and those of them with a status from 500. */
export interface Answers {
  readonly version: string
  readonly isSince: boolean
  readonly requests: number
  readonly errors: number
}

const Rows = z.object({
  data: z.array(
    // The API writes 64-bit numbers as text.
    z.object({
      version: z.string(),
      isSince: z.coerce.number().transform((flag) => flag === 1),
      requests: z.coerce.number(),
      errors: z.coerce.number(),
    }),
  ),
})

/** How long back the versions are compared. */
const MINUTES = 60

/**
 * Reads from the Analytics Engine what each version has answered in the last hour, before and since `since` (milliseconds
 * since 1970). Rejects with one line if the account does not say: the token needs _Account Analytics: Read_, and the
 * dataset exists once the first request was answered.
 */
export async function readAnswers(
  { baseUrl, accountId, token, dataset }: MetricsSource,
  since: number,
): Promise<readonly Answers[]> {
  const api = withoutSlash(baseUrl)
  followProxy(api)
  const response = await fetch(`${api}/accounts/${accountId}/analytics_engine/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: `SELECT blob2 AS version, if(timestamp >= toDateTime(${Math.floor(since / 1000)}), 1, 0) AS isSince,
      SUM(_sample_interval) AS requests, sumIf(_sample_interval, double1 >= 500) AS errors
      FROM ${dataset} WHERE blob1 = 'request' AND timestamp > NOW() - INTERVAL '${MINUTES}' MINUTE GROUP BY version, isSince`,
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 200)}`)
  return Rows.parse(JSON.parse(text)).data
}
