import { createHash, timingSafeEqual } from 'node:crypto'

/** After as many wrong codes the right one is void. */
const MAX_WRONG = 5

let attempts = MAX_WRONG

/**
 * Exchanges the one-time code in the body of a request for the admin token. Undefined if the code is wrong, used, void or
 * expired, or if the request does not come from a page of the same loopback host and port.
 *
 * @param {Request} request
 * @param {import('./console-access.ts').ConsoleAccess & { readonly hosts: readonly string[] }} access
 * @returns {Promise<string | undefined>}
 */
export async function redeem(request, { hosts, code, adminToken, expiresAt }) {
  if (!isFromOwnPage(request, hosts)) return undefined
  const given = await request.json().then((body) => String(body?.code), String)
  // Nothing is awaited from here on, so that of two requests at once only one gets the token.
  if (attempts === 0 || Date.now() >= expiresAt) return undefined
  const isRight = timingSafeEqual(digest(given), digest(code))
  attempts = isRight ? 0 : attempts - 1
  return isRight ? adminToken : undefined
}

/**
 * Browsers send both headers, and no page can change them. They send the second one only to hosts that they trust.
 * A page of another site whose name leads to this machine has that name as its host.
 */
function isFromOwnPage({ url, headers }, hosts) {
  const { hostname, origin } = new URL(url)
  const site = headers.get('sec-fetch-site') ?? 'same-origin'
  return hosts.includes(hostname) && headers.get('origin') === origin && site === 'same-origin'
}

function digest(text) {
  return createHash('sha256').update(text).digest()
}
