/** How often an active space reports to the registry, and how often it stores where a device stands, ms. */
export const REPORT_INTERVAL_MS = 3_600_000

/** The shortest time between two reports of a space, ms. */
export const REPORT_PAUSE_MS = 10_000

/** The number of changes after which a busy space reports. */
export const REPORT_CHANGES = 1000

/** How long after a request the space reports, ms: its reply is on the way, and the rest of a short burst is reported too. */
export const REPORT_DELAY_MS = 250

/** How long an erasure waits until it is reported again, if the registry could not be reached, ms. */
export const FORGET_AGAIN_MS = 60_000

/** The devices whose position a space keeps. Past it, the ones that were away for the longest are forgotten. */
export const MAX_DEVICES = 1_000

/** The most spaces in one page of the registry, and the default. */
export const MAX_PAGE_SPACES = 500
export const PAGE_SPACES = 100

/** The most devices in one page, and the default. A page with a device that is behind reads all entry rows. */
export const MAX_PAGE_DEVICES = 50
export const PAGE_DEVICES = 20

/** How long the registry remembers that a space was erased, ms: an older report may still be on its way. */
export const ERASED_FOR_MS = 3_600_000
