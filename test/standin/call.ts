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
  readonly uploads: AssetUploads
  /** Reads what the Analytics Engine has counted. */
  readAnswers: () => Promise<readonly Answers[]>
}

/** Files that an upload session announces, by path. */
export type Manifest = Readonly<Record<string, { readonly hash: string; readonly size: number }>>

/** File of a form, as sent. */
export interface SentFile {
  readonly hash: string
  readonly type: string
  /** Base64. */
  readonly text: string
}

/** Static assets that an account has received, and the tokens that it has issued. */
export interface AssetUploads {
  readonly files: Map<string, Uint8Array>
  /** Manifest of each session, by the token that its uploads send. */
  readonly sessions: Map<string, Manifest>
  /** Manifest of each complete session, by the token that the upload of a script sends. */
  readonly completed: Map<string, Manifest>
  /** Whether the next reply to an upload lacks the token that completes the session. */
  losesToken: boolean
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
  /** Files in an upload of static assets. */
  readonly files: readonly SentFile[]
  /** Token of the request. */
  readonly bearer: string
}

/** Returns the envelope's `result`, or a whole Response if the API replies without an envelope. */
export type Answer = (call: Call) => unknown
