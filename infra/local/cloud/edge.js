// The front of the embedded cloud, run by workerd before the Worker: chooses the Worker by host, as
// the vendor's edge does, and sets the headers that only the edge may set.

export default {
  async fetch(request, env) {
    const { hostname } = new URL(request.url)
    const script = env.ROUTES[hostname]
    if (script === undefined) return refuse(hostname, Object.keys(env.ROUTES))
    const inner = new Request(request)
    inner.headers.set('cf-connecting-ip', '127.0.0.1')
    try {
      return await env[script].fetch(inner)
    } catch {
      // What the vendor answers when a Worker throws; the runtime has logged the exception.
      return new Response('error code: 1101\n', { status: 500 })
    }
  },
}

function refuse(hostname, hosts) {
  const served = hosts.length === 0 ? 'none' : hosts.join(', ')
  return new Response(`Nothing is served at the host ${hostname}. Hosts of this stack: ${served}\n`, {
    status: 404,
  })
}
