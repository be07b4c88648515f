import { z } from 'zod'

/** Asks for a token that may read and write the space "dev". */
const REQUEST = { subject: 'dev', space: 'dev', scopes: ['sync:read', 'sync:write'], name: 'npm start' }

const Minted = z.object({ token: z.string() })

/** Returns the client token of an earlier run if the service still accepts it, and otherwise mints one. */
export async function clientTokenFor(
  url: string,
  adminToken: string,
  earlier: string | undefined,
): Promise<string> {
  if (earlier && (await post(`${url}/api/auth`, { token: earlier })).ok) return earlier
  const response = await post(`${url}/api/tokens`, REQUEST, adminToken)
  if (response.status !== 201) throw new Error(`POST /api/tokens answered ${response.status}`)
  return Minted.parse(await response.json()).token
}

function post(url: string, body: unknown, bearer?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}
