import { codeOf } from '../../core/problem.ts'

interface Details extends ErrorOptions {
  /** The code that clients key on. By default, the general code of the status. */
  readonly code?: string
  /** Further members of the problem document: numbers that a client can act on. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A refused request. The message is for the client's developer, the code for the client. */
export class HTTPError extends Error {
  override readonly name: string = 'HTTPError'
  readonly status: number
  readonly code: string
  readonly members: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, details: Details = {}) {
    const { code = codeOf(status), members = {}, headers = {}, ...options } = details
    super(message, options)
    this.status = status
    this.code = code
    this.members = members
    this.headers = headers
  }
}

/**
 * A batch that the space refuses as a whole. `conflictData` tells where client and space disagree. Nothing was stored.
 */
export class SyncError extends HTTPError {
  override readonly name = 'SyncError'

  constructor(
    message: string,
    conflictData: object = {},
    options: ErrorOptions & { readonly code?: string } = {},
  ) {
    super(409, message, { ...options, members: membersOf(conflictData) })
  }
}

/** A list of conflicts goes into the member where a client of the founding API expects it. */
function membersOf(data: object): Readonly<Record<string, unknown>> {
  return Array.isArray(data) ? { conflicts: data } : { ...data }
}
