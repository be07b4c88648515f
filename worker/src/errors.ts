import type { FaultCode } from './core/fault.ts'

interface Details extends ErrorOptions {
  readonly code: FaultCode
  /** Further members of the problem document: numbers that a client can act on. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is refused: the message is for the client's developer, the code for the client. */
export class HTTPError extends Error {
  override readonly name: string = 'HTTPError'
  readonly status: number
  readonly code: FaultCode
  readonly members: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, { code, members = {}, headers = {}, ...options }: Details) {
    super(message, options)
    this.status = status
    this.code = code
    this.members = members
    this.headers = headers
  }
}

/** A batch that the space refuses whole. `conflictData` says where client and space disagree; nothing was stored. */
export class SyncError extends HTTPError {
  override readonly name = 'SyncError'

  constructor(
    message: string,
    conflictData: Readonly<Record<string, unknown>>,
    options: ErrorOptions & { code: FaultCode },
  ) {
    super(409, message, { ...options, members: conflictData })
  }
}
