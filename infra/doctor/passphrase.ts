import { createDecipheriv, pbkdf2 } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Sealing } from '../cli/stack-file.ts'
import { type Finding, right, wrong } from './finding.ts'

const SUBJECT = 'passphrase'
const SET_IT = 'Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE'
const TAG_BYTES = 16

/** Of Pulumi's own encryption (sdk/go/common/resource/config/crypt.go). */
const ITERATIONS = 1_000_000
const KEY_BYTES = 32

/** Whether the passphrase that the stack's secrets are sealed with is there, and is the one. */
export async function examinePassphrase(sealing: Sealing, env: NodeJS.ProcessEnv): Promise<Finding> {
  const passphrase = readPassphrase(env)
  if (passphrase === undefined) return wrong(SUBJECT, 'not set, and the secrets are sealed with one', SET_IT)
  const { salt } = sealing
  if (salt === undefined) return right(SUBJECT, 'set; the stack file has nothing to try it on')
  if (await opens(passphrase, salt)) return right(SUBJECT, 'set, and it is the one of the stack file')
  return wrong(SUBJECT, 'not the one that the stack file was sealed with', SET_IT)
}

/** A stack has one if its file says so, or if the back-end (a folder or a bucket) keeps no keys. */
export function needsPassphrase({ salt, provider }: Sealing, backendUrl: string): boolean {
  if (salt !== undefined || provider === 'passphrase') return true
  return provider === undefined && !/^https?:/.test(backendUrl)
}

function readPassphrase(env: NodeJS.ProcessEnv): string | undefined {
  // Set and empty counts: the CLI takes it too.
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE
  try {
    return readFileSync(env.PULUMI_CONFIG_PASSPHRASE_FILE ?? '', 'utf8').trim()
  } catch {
    return undefined
  }
}

/** `salt` is `v1:<salt>:v1:<nonce>:<the word "pulumi", sealed>`. */
async function opens(passphrase: string, salt: string): Promise<boolean> {
  const [, bytes, , nonce, sealed] = salt.split(':').map((part) => Buffer.from(part, 'base64'))
  if (!bytes || !nonce || !sealed) return false
  const key = await promisify(pbkdf2)(passphrase, bytes, ITERATIONS, KEY_BYTES, 'sha256')
  const cipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return (
      Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()]).toString() === 'pulumi'
    )
  } catch {
    return false
  }
}
