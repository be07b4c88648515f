import { createHash, timingSafeEqual } from 'node:crypto'

let isUsed = false

/**
 * Exchanges the one-time code in the body of a request for the admin token. Undefined if the code is wrong, used or
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
  if (isUsed || Date.now() >= expiresAt || !timingSafeEqual(digest(given), digest(code))) return undefined
  isUsed = true
  return adminToken
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
