import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'

/** Web server of an app: one page with one script. */
export interface Site {
  readonly origin: string
  close(): void
}

/** Bundles a script with what it imports, and serves a page that runs it. */
export async function startSite(script: string): Promise<Site> {
  const bundling = { bundle: true, format: 'esm', minify: true, target: 'es2022', write: false } as const
  const { outputFiles } = await build({ ...bundling, entryPoints: [script] })
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', '<!doctype html><title>Notes</title><script type="module" src="/app.js"></script>'],
    '/app.js': ['text/javascript', outputFiles[0]?.text ?? ''],
  }
  const server = createServer(({ url = '' }, response) => {
    const [type, text] = files[new URL(url, 'http://site').pathname] ?? []
    if (type === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
