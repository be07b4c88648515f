import { createDecipheriv, pbkdf2 } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { passphraseFile } from '../cli/back-end.ts'
import type { StackSecrets } from '../cli/stack-file.ts'
import { type Finding, right, wrong } from './finding.ts'

const SUBJECT = 'passphrase'
const TAG_BYTES = 16

/** Parameters of Pulumi's own encryption (sdk/go/common/resource/config/crypt.go). */
const ITERATIONS = 1_000_000
const KEY_BYTES = 32

/** Checks the passphrase against the salt in the stack file. A stack without a salt keeps its key elsewhere. */
export async function examinePassphrase(
  { salt }: StackSecrets,
  env: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  if (salt === undefined) return []
  const passphrase = readPassphrase(env)
  if (passphrase === undefined) return [wrong(SUBJECT, reasonFor(env), remedyFor(env))]
  if (await opens(passphrase, salt)) return [right(SUBJECT, 'matches the stack file')]
  if (passphrase !== passphrase.trim() && (await opens(passphrase.trim(), salt)))
    return [
      wrong(
        SUBJECT,
        'PULUMI_CONFIG_PASSPHRASE has a space or a line break at its begin or end',
        'Set it again without that',
      ),
    ]
  const other = 'not the one that the stack file was encrypted with'
  return [
    wrong(SUBJECT, other, 'Set the one with which the stack was created: nothing else opens its secrets'),
  ]
}

function reasonFor({ PULUMI_CONFIG_PASSPHRASE_FILE: file }: NodeJS.ProcessEnv): string {
  return file ? `${file} cannot be read` : 'not set, but the stack file was encrypted with one'
}

/** Names the file of the first deployment if it is on this machine. */
function remedyFor(env: NodeJS.ProcessEnv): string {
  const file = passphraseFile({ ...env, PULUMI_CONFIG_PASSPHRASE_FILE: undefined })
  return existsSync(file)
    ? `Run: export PULUMI_CONFIG_PASSPHRASE_FILE=${file}`
    : 'Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE'
}

/** The passphrase as the CLI would read it; undefined without one. */
export function readPassphrase(env: NodeJS.ProcessEnv): string | undefined {
  // An empty passphrase counts as set: the CLI accepts it too.
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE
  try {
    return readFileSync(env.PULUMI_CONFIG_PASSPHRASE_FILE ?? '', 'utf8').trim()
  } catch {
    return undefined
  }
}

/** `salt` is `v1:<salt>:v1:<nonce>:<the encrypted word "pulumi">`. */
async function opens(passphrase: string, salt: string): Promise<boolean> {
  const [, bytes, , nonce, sealed] = salt.split(':').map((part) => Buffer.from(part, 'base64'))
  if (!bytes || !nonce || !sealed) return false
  const key = await promisify(pbkdf2)(passphrase, bytes, ITERATIONS, KEY_BYTES, 'sha256')
  const cipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    const opened = Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()])
    return opened.toString() === 'pulumi'
  } catch {
    return false
  }
}
