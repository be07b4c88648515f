import { join } from 'node:path'
import { readJson, writePrivateJson } from '../cli/private-file.ts'
import { clientTokenFor } from './client-token.ts'
import type { Account } from './cloud/account.ts'

/** The running stack, as `.local/outputs.json` describes it to people and scripts. */
export interface Outputs {
  readonly stack: string
  /** The address of the service on this machine. */
  readonly url: string
  /** The hosts that the service answers. Every other host gets a 404. */
  readonly hosts: readonly string[]
  readonly adminToken: string
  /** A token for the space "dev". Present only for a development stack that is served at 127.0.0.1. */
  readonly clientToken?: string
}

/** The outputs of the stack that was started last on this machine; undefined if none was. */
export function readOutputs(root: string): Outputs | undefined {
  return readJson<Outputs>(join(root, '.local/outputs.json'), REMEDY)
}

const REMEDY = 'Delete this file: npm start writes it again'

export interface WrittenOutputs {
  readonly outputs: Outputs
  /** The reason why an expected client token is missing. */
  readonly warning?: string
}

/** Adds an earlier or a new client token, and writes the outputs to files that only their owner can read. */
export async function writeOutputs(local: string, base: Outputs, account: Account): Promise<WrittenOutputs> {
  const ownFile = join(local, base.stack, 'outputs.json')
  const written =
    isDevelopment(account) && base.hosts.includes('127.0.0.1')
      ? await withToken(base, ownFile)
      : { outputs: base }
  // The stack's own file keeps its token for the next start. The other file describes the last started stack.
  writePrivateJson(ownFile, written.outputs)
  writePrivateJson(join(local, 'outputs.json'), written.outputs)
  return written
}

async function withToken(base: Outputs, ownFile: string): Promise<WrittenOutputs> {
  const earlier = readJson<Outputs>(ownFile, REMEDY)?.clientToken
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
