import { join } from 'node:path'
import { readJson, writePrivateJson } from '../cli/private-file.ts'
import { clientTokenFor } from './client-token.ts'
import type { Account } from './cloud/account.ts'

/** The running stack, as written to `.local/outputs.json` for people and scripts. */
export interface Outputs {
  readonly stack: string
  /** Where it answers on this machine. */
  readonly url: string
  /** The hosts that it answers for: anything else is a 404. */
  readonly hosts: readonly string[]
  readonly adminToken: string
  /** Of a development stack that loopback reaches: for the space "dev". */
  readonly clientToken?: string
}

export interface WrittenOutputs {
  readonly outputs: Outputs
  /** Why there is no client token, if one was due. */
  readonly warning?: string
}

/** Adds the client token, kept from earlier or minted, and writes it all, for the owner's eyes only. */
export async function writeOutputs(local: string, base: Outputs, account: Account): Promise<WrittenOutputs> {
  const ownFile = join(local, base.stack, 'outputs.json')
  const written =
    isDevelopment(account) && base.hosts.includes('127.0.0.1')
      ? await withToken(base, ownFile)
      : { outputs: base }
  // Tokens of a stack are remembered in its folder: the other file is the last started stack's.
  writePrivateJson(ownFile, written.outputs)
  writePrivateJson(join(local, 'outputs.json'), written.outputs)
  return written
}

async function withToken(base: Outputs, ownFile: string): Promise<WrittenOutputs> {
  const earlier = readJson<Outputs>(ownFile)?.clientToken
  try {
    return { outputs: { ...base, clientToken: await clientTokenFor(base.url, base.adminToken, earlier) } }
  } catch (cause) {
    return {
      outputs: base,
      warning: `no client token: ${cause instanceof Error ? cause.message : String(cause)}`,
    }
  }
}

function isDevelopment({ scripts }: Account): boolean {
  return scripts.some(({ bindings }) =>
    bindings.some(({ name, text }) => name === 'ENVIRONMENT' && text === 'development'),
  )
}
