import { type Exchange, json, spacesOf } from './exchange.ts'
import { refusal } from './refusal.ts'

/**
 * `POST /api/spaces/{id}/reseal`: has one space seal all it holds by the newest master key. `id`: as the platform lists
 * objects, because nobody else knows every space. Asked again until it is `done`.
 */
export async function resealSpace({ env, params }: Exchange): Promise<Response> {
  const id = params.id ?? ''
  const { generation, done } = await spacesOf(env).get(objectId(id, env)).reseal()
  return json({ success: true, id, generation, done })
}

function objectId(id: string, env: Env): DurableObjectId {
  try {
    return spacesOf(env).idFromString(id)
  } catch {
    throw refusal({ code: 'not-found', detail: 'this is no object of the class Chronicle' })
  }
}
