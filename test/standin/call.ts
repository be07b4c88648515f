import type { Account } from '../../infra/local/cloud/account.ts'
import type { Answers } from '../../infra/operate/service/metrics.ts'
import type { Metadata } from './metadata.ts'

/** Account, and the other state that a REST call may change. */
export interface Cloud {
  readonly account: Account
  readonly accountId: string
  /** The account's name under workers.dev; undefined until it is registered. */
  ownName: string | undefined
  /** The names of the R2 buckets. */
  readonly buckets: string[]
  /** Folder with the code of the scripts. */
  readonly folder: string
  /** Uploaded versions that are not deployed yet. */
  readonly versions: Map<string, ScriptUpload>
  /** Reads what the Analytics Engine has counted. */
  readAnswers: () => Promise<readonly Answers[]>
}

export interface ScriptUpload {
  readonly metadata: Metadata
  readonly code: Uint8Array
}

/** Multipart form as sent: its part `metadata`, and the module that `metadata` names. */
export interface SentUpload {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly code: Uint8Array
}

/** Parsed request. */
export interface Call {
  readonly cloud: Cloud
  /** Parameters of the path: `account`, `name`, `id`, `zone`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON or plain text, or undefined without a body. */
  readonly body: unknown
  /** Present in an upload of a script. */
  readonly upload: SentUpload | undefined
}

/** Returns the envelope's `result`, or a whole Response if the API replies without an envelope. */
export type Answer = (call: Call) => unknown
