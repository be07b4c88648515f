// The front of the embedded cloud. Like the vendor's edge, it selects the Worker by host and sets the headers that only
// the edge may set. workerd runs it before the Worker.
import { redeem } from './redeem.js'

export default {
  async fetch(request, env) {
    const { hostname, pathname } = new URL(request.url)
    const script = env.ROUTES[hostname]
    if (script === undefined) return refuse(hostname, Object.keys(env.ROUTES))
    const inner = new Request(request)
    inner.headers.set('cf-connecting-ip', '127.0.0.1')
    try {
      const adminToken =
        env.CONSOLE && isRedemption(request, pathname) && (await redeem(inner.clone(), env.CONSOLE))
      if (adminToken) return Response.json({ adminToken }, { headers: { 'cache-control': 'no-store' } })
      const asset =
        mayBeAsset(pathname, env.ASSETS[script]) && (await env[`${script}:assets`].fetch(inner.clone()))
      if (asset && asset.status !== 404) return asset
      return await env[script].fetch(inner)
    } catch {
      // The vendor's response when a Worker throws. The runtime has logged the exception.
      return new Response('error code: 1101\n', { status: 500 })
    }
  },
}

/**
 * Whether an asset may have the path: its first segment is one of those of the assets, or is encoded. The look-up takes
 * longer than most requests of the API.
 */
function mayBeAsset(pathname, segments) {
  const [, first] = pathname.split('/')
  return segments !== undefined && (segments.includes(first) || first.includes('%'))
}

/** Whether a page asks for the admin token. The Worker has no such route, and gives every other request its 404. */
function isRedemption({ method }, pathname) {
  return method === 'POST' && pathname === '/console/code'
}

function refuse(hostname, hosts) {
  const served = hosts.length === 0 ? 'none' : hosts.join(', ')
  return new Response(`Nothing is served at the host ${hostname}. Hosts of this stack: ${served}\n`, {
    status: 404,
  })
}
