import { absenceOf } from '../../core/absence.ts'
import { parseGenerations } from '../../core/values/generations.ts'
import { parseBody } from '../../schema/parse.ts'
import { ResealRequest } from '../../schema/reseal.ts'
import type { ResealedSpace } from '../../schema/reseal-reply.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spacesOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { logAbsence, logDefect } from '../exchange/telemetry.ts'

/**
 * `POST /api/spaces/reseal`: makes spaces seal everything with the newest master key. Spaces are given by the ids of
 * their objects, as the platform lists them, because nothing else knows every space. Repeated until they are `done`.
 */
export async function resealSpaces(exchange: Exchange): Promise<Response> {
  const { request, env } = exchange
  const wanted = unwrap(parseBody(ResealRequest, await readBody(request)))
  const ids = wanted.spaces.map((id, index) => objectId(id, { env, field: `spaces[${index}]` }))
  const spaces = await Promise.all(
    ids.map(async (id) => ({ id: id.toString(), ...(await reseal(id, exchange)) })),
  )
  return json({ success: true, generation: newestGeneration(env), spaces })
}

type Resealed = Omit<ResealedSpace, 'id'>

async function reseal(id: DurableObjectId, exchange: Exchange): Promise<Resealed> {
  try {
    const { generation, done, unreadable, entries } = await spacesOf(exchange.env).get(id).reseal()
    // An object of the previous release does not count unreadable chunks, and seals with the secrets that it has.
    if (entries === undefined || generation !== newestGeneration(exchange.env)) return { state: 'pending' }
    if (unreadable !== undefined) return { state: 'failed', unreadable, entries }
    return { state: done ? 'done' : 'pending', entries }
  } catch (thrown) {
    // A failing space does not stop the others. An absent one can be asked again.
    if (absenceOf(thrown) === null) {
      logDefect(exchange, thrown)
      return { state: 'failed' }
    }
    logAbsence(exchange, thrown)
    return { state: 'pending' }
  }
}

function newestGeneration({ MASTER_KEY }: Env): number | undefined {
  return parseGenerations(MASTER_KEY)?.[0].generation
}

function objectId(
  id: string,
  { env, field }: { readonly env: Env; readonly field: string },
): DurableObjectId {
  try {
    return spacesOf(env).idFromString(id)
  } catch {
    throw refusal({
      code: 'invalid-request',
      detail: `${field}: no object of the class Chronicle has this id`,
    })
  }
}
