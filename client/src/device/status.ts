import type { LineStatus } from '../service/status.ts'

/** The state of the data on this device, as an app can tell its user. */
export interface Status extends LineStatus {
  /** How many edits wait for the service on this device. */
  readonly pending: number
  /** How many edits need attention (`db.troubles`). */
  readonly troubles: number
  /**
   * Where edits are kept. `persistent`: the browser does not remove them. `best-effort`: it may when space is short, or
   * after a week without a visit (Safari). `memory`: they are gone with the page.
   */
  readonly storage: 'persistent' | 'best-effort' | 'memory'
  /** Whether this tab talks to the service for all tabs. */
  readonly leads: boolean
}

export const UNKNOWN: Status = {
  online: false,
  live: false,
  behind: true,
  obstacle: null,
  pending: 0,
  troubles: 0,
  lastSync: null,
  storage: 'best-effort',
  leads: false,
}
