/** Why the queue does not move. */
export interface Obstacle {
  /** A code of the service (docs/codes.md), or of this client, such as `offline` and `sign-in`. */
  readonly code: string
  readonly detail: string
}

/** How the line to the service is. */
export interface LineStatus {
  /** Whether the service answered the last request. */
  readonly online: boolean
  /** Whether a socket is open, so that changes of others arrive at once. */
  readonly live: boolean
  /** Whether the space may hold changes that this device has not read. */
  readonly behind: boolean
  /** When the service last answered, ms since 1970 by the clock of this device; null if never. */
  readonly lastSync: number | null
  /** Why the queue does not move. */
  readonly obstacle: Obstacle | null
}
