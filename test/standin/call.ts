import type { Account } from '../../infra/local/cloud/account.ts'
import type { Metadata } from './metadata.ts'

/** The account, and what a REST call may change beside it. */
export interface Cloud {
  readonly account: Account
  /** Where the code of its scripts lies. */
  readonly folder: string
  /** Versions that were uploaded and are not deployed yet. */
  readonly versions: Map<string, ScriptUpload>
}

export interface ScriptUpload {
  readonly metadata: Metadata
  readonly code: Uint8Array
}

/** A form, as it was sent: its part `metadata`, and the module that this names. */
export interface SentUpload {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly code: Uint8Array
}

/** One request, taken apart. */
export interface Call {
  readonly cloud: Cloud
  /** What the path names: `account`, `name`, `id`, `zone`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON; undefined if there is none. */
  readonly body: unknown
  /** Of an upload of a script. */
  readonly upload: SentUpload | undefined
}

/** Gives the envelope's `result`, or a whole Response where the API answers without an envelope. */
export type Answer = (call: Call) => unknown
