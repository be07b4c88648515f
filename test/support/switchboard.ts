import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { loadAccount } from '../../infra/local/cloud/account.ts'
import { type Runtime, serveAccount } from '../../infra/local/cloud/runtime.ts'

/** Server of the last deployment, always at the same address. */
export interface Switchboard {
  /** URL of the service. */
  readonly url: string
  /** URL prefix. `GET {control}/{stack}` switches to the current content of that stack's folder. */
  readonly control: string
  close(): Promise<void>
}

export async function switchboard(state: string): Promise<Switchboard> {
  const port = await freePort()
  let cloud: Runtime | undefined

  async function serve(stack: string): Promise<void> {
    await cloud?.stop()
    const folder = join(state, stack)
    cloud = await serveAccount({ account: loadAccount(folder), folder, port, onLog: () => {} })
  }

  const server = createServer((request, response) => {
    serve((request.url ?? '').slice(1)).then(
      () => response.end(),
      (cause: Error) => response.writeHead(500).end(cause.message),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${port}`,
    control: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      await cloud?.stop()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
