/** How the clients of a server send their batches. */
export type Transport = 'http' | 'socket'

/** A server under load. */
export interface Server {
  readonly name: string
  readonly url: string
  /** The process whose time and memory count. */
  readonly pid: number
  /** The module of its client for each transport that it has. The module exports `connect` (bench/clients/client.ts). */
  readonly clients: Readonly<Partial<Record<Transport, string>>>
  /** Whether it stores events and no entries, so that a new space needs none. */
  readonly storesEvents?: boolean
  /** Whether it refuses a batch that does not follow the last one of the space, whoever sent that. */
  readonly oneWriter?: boolean
  /** Returns the credential of a new client of a space. */
  admit(space: string): Promise<string>
  /** Deletes a space whose clients have left, so that its upkeep does not take the time of others. */
  erase?(space: string): Promise<void>
  stop(): Promise<void>
}
