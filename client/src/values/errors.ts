import type { Json, Problem } from './wire.ts'

/** Codes of this client. Refusals of the service have its codes (docs/codes.md). */
export type ClientCode =
  /** The client is closed, or this store was logged out. */
  | 'closed'
  /** The value does not fit the schema of the collection: `issues` says why. Nothing was saved. */
  | 'invalid-value'
  /** An update of a row that does not exist. Nothing was saved. */
  | 'row-missing'
  /** Closing or logging out would lose `edits`. Nothing was dropped, and the client is still open. */
  | 'unsynced'
  /** Another tab has dealt with the trouble. Nothing was written. */
  | 'trouble-ended'
  /** The network, or the service, did not answer. */
  | 'offline'
  /** `token()` failed, or the service does not take its token. */
  | 'sign-in'
  /** The token is of another user than the data on this device, which is not sent: call `logout()` first. */
  | 'other-user'
  /** The store of this device fails, for example because the disk is full. */
  | 'storage'
  /** A defect of this client. */
  | 'internal'
  /** Another tab leads since. */
  | 'deposed'
  /** The browser has removed the rows of the store. */
  | 'cleared'
  /** The row has changed since it was read. */
  | 'row-changed'

/** An edit that only this device has. */
export interface UnsyncedEdit {
  readonly key: string
  /** Undefined for a deletion, and while the token is of another user. */
  readonly value: Json | undefined
  /** When it was made, ms since 1970. */
  readonly timestamp: number
  /** `pending`: it waits to be sent. `rejected`: the service refused it. `orphaned`: the service has lost it. */
  readonly status: 'pending' | 'rejected' | 'orphaned'
}

interface Details {
  readonly problem?: Problem
  readonly issues?: readonly { readonly message: string }[]
  readonly edits?: readonly UnsyncedEdit[]
  readonly cause?: unknown
}

/** Every failure that this client knows. `code` tells which. */
export class ChronicleError extends Error {
  override readonly name = 'ChronicleError'
  readonly code: ClientCode | (string & {})
  /** The refusal of the service. */
  readonly problem: Problem | undefined
  /** Why a value does not fit its schema. */
  readonly issues: Details['issues']
  /** The edits that only this device has. */
  readonly edits: Details['edits']

  constructor(
    code: ChronicleError['code'],
    message: string,
    { problem, issues, edits, cause }: Details = {},
  ) {
    super(message, { cause })
    this.code = code
    this.problem = problem
    this.issues = issues
    this.edits = edits
  }
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Whether the browser has thrown it. Not every runtime has such errors. */
export function isDomException(thrown: unknown): thrown is DOMException {
  return typeof DOMException === 'function' && thrown instanceof DOMException
}

/** The refusal of the service that an error stands for. */
export function problemIn(thrown: unknown): Problem | undefined {
  return thrown instanceof ChronicleError ? thrown.problem : undefined
}

export function codeOf(thrown: unknown): string {
  return thrown instanceof ChronicleError ? thrown.code : ''
}
