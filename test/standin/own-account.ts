import { z } from 'zod'
import { ApiError } from '../../infra/local/cloud/account.ts'
import type { Call } from './call.ts'

const Named = z.object({ subdomain: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) })
const Bucket = z.object({ name: z.string() })

/** Answers a query of the Analytics Engine, which has no envelope and writes large numbers as text. */
export async function queryDataset({ cloud, body }: Call): Promise<unknown> {
  if (!/ FROM chronicle_sync_[a-z0-9_]+ /.test(String(body)))
    throw new ApiError(422, 0, `cannot query: ${body}`)
  const data = (await cloud.readAnswers()).map((row) => ({
    ...row,
    isSince: Number(row.isSince),
    requests: String(row.requests),
  }))
  return Response.json({ meta: [], data, rows: data.length })
}

/** Lists the one account that the token sees. */
export function listAccounts({ cloud }: Call): unknown {
  return [{ id: cloud.accountId, name: 'Stand-in', type: 'standard' }]
}

/** Returns the account's own name under workers.dev. */
export function showOwnName({ cloud }: Call): unknown {
  if (cloud.ownName === undefined) throw new ApiError(404, 10007, 'this account has no workers.dev subdomain')
  return { subdomain: cloud.ownName }
}

export function registerOwnName({ cloud, body }: Call): unknown {
  const { subdomain } = Named.parse(body)
  if (subdomain === 'taken') throw new ApiError(409, 10031, 'subdomain is unavailable')
  cloud.ownName = subdomain
  return { subdomain }
}

/** Refuses the first script of an account without a name under workers.dev. */
export function checkOwnName({ cloud }: Call): void {
  if (cloud.ownName === undefined)
    throw new ApiError(400, 10063, 'you need a workers.dev subdomain in order to proceed')
}

export function showBucket({ cloud, params }: Call): unknown {
  const name = cloud.buckets.find((bucket) => bucket === params.name)
  if (!name) throw new ApiError(404, 10006, 'the specified bucket does not exist')
  return { name }
}

export function addBucket({ cloud, body }: Call): unknown {
  const { name } = Bucket.parse(body)
  cloud.buckets.push(name)
  return { name }
}
