import document from '../../../docs/openapi.json' with { type: 'json' }
import { json } from './exchange.ts'

/** `GET /api/openapi.json`: the description of this API (OpenAPI 3.1). */
export async function openapi(): Promise<Response> {
  return json(document)
}
