/** A client that a server has let in. */
export interface ClientOptions {
  readonly url: string
  readonly space: string
  readonly credential: string
  /** The index of the client among all that run at once. No client writes another's entries. */
  readonly part: number
  /** The number of entries that it edits. */
  readonly entries: number
}

/** One connection under load. It has one batch in flight at a time. */
export interface Client {
  /** Sends a batch of a size and waits for its acknowledgement. Returns how long that took, ms. */
  push(size: number): Promise<number>
  /** Reads what others have written, if the client follows its space. */
  catchUp?(): Promise<void>
  close(): Promise<void>
}

/** The exports of the module of a client. */
export interface ClientModule {
  connect(options: ClientOptions): Promise<Client>
}
