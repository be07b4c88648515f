import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ServedPack } from '../../../infra/local/engine/policies.ts'
import { startHost } from './host.ts'

interface Packs {
  readonly host: ChildProcess
  /** Port of the pack that was asked for last. */
  port: Promise<string>
}

/** Serves the policy pack of a project in a process that has already loaded the SDK, which the test files share. */
export async function serveHosted(root: string): Promise<ServedPack> {
  const packs = sharedPacks()
  packs.port = packs.port.then(() => portOf(packs.host, root))
  const port = await packs.port
  return { address: `127.0.0.1:${port}`, end: () => {} }
}

function sharedPacks(): Packs {
  const shared = globalThis as { policyPacks?: Packs }
  shared.policyPacks ??= { host: startHost('policy-host.ts'), port: Promise.resolve('') }
  return shared.policyPacks
}

async function portOf(host: ChildProcess, root: string): Promise<string> {
  const answered = new AbortController()
  const { signal } = answered
  const ended = once(host, 'exit', { signal }).then(([code]) => {
    throw new Error(`the host of policy packs ended with code ${code}`)
  })
  try {
    host.send(root)
    const [port] = await Promise.race([once(host, 'message', { signal }), ended])
    return port
  } finally {
    ended.catch(() => {})
    answered.abort()
  }
}
