/** The longest credential that is parsed. Tokens of identity providers stay below it. */
export const MAX_CREDENTIAL_LENGTH = 8192

/** The longest session token that may be issued. Leaves room for longer times and generations than today's. */
export const MAX_SESSION_LENGTH = 8000

/**
 * The sessions that an isolate remembers as verified, and the total length of their tokens, characters. With what the
 * tokens say, as values, they take a few megabytes of its 128.
 */
export const MAX_KNOWN_SESSIONS = 2_000
export const MAX_KNOWN_LENGTH = 1024 * 1024

/** The lifetime of a session. Revocation does not wait for it, because the space knows at once. */
export const SESSION_TTL_SECONDS = 3600

/** The lifetime of an operator's session in a space: long enough to look around. */
export const OPERATOR_SESSION_SECONDS = 15 * 60

/**
 * The longest overlap of a rotated token with its successor: 30 days, for devices that are switched on once a month.
 */
export const MAX_OVERLAP_SECONDS = 30 * 24 * 3600

/** How long audit records are kept: a year, and some time to look back on it. */
export const AUDIT_TTL_SECONDS = 400 * 24 * 3600

/**
 * How long look-ups are counted for an address that failed too often, ms: the longest period of the platform's
 * counters. And the number of such addresses that an isolate remembers: about a megabyte.
 */
export const FAILED_FOR_MS = 60_000
export const MAX_FAILED_ADDRESSES = 10_000

/** The window of a request budget, seconds: also the longest period of the platform's own rate limits. */
export const BUDGET_WINDOW_SECONDS = 60

/** The largest request budget per minute: more than one object can serve. */
export const MAX_REQUESTS_PER_MINUTE = 1_000_000

/** The number of clients, and of credentials, whose requests a space remembers: some 5 MB of its 128. */
export const MAX_BUDGETS = 10_000

/** The most identity providers in the configuration, and the most audiences of one. */
export const MAX_IDENTITY_PROVIDERS = 16
export const MAX_AUDIENCES = 16

/** The longest URL of an identity provider, and the longest name of a claim or audience, in UTF-16 code units. */
export const MAX_PROVIDER_URL_LENGTH = 256
export const MAX_CLAIM_NAME_LENGTH = 128

/**
 * The oldest token that is accepted from an identity provider, whatever its own expiry: the longest that providers
 * commonly issue.
 */
export const MAX_IDENTITY_AGE_SECONDS = 24 * 3600

/** How far the clock of an identity provider may be ahead. There is no tolerance for an expired token. */
export const IDENTITY_CLOCK_TOLERANCE_SECONDS = 10

/**
 * The minimum time between two key requests to an identity provider by one isolate, whatever their outcome, and the
 * number of unknown keys that may be looked up within it.
 */
export const KEYS_COOLDOWN_MS = 30_000
export const KEYS_BURST = 5

/** The age at which cached keys are fetched again; the default of jose. */
export const KEYS_FRESH_MS = 600_000

/** The age at which cached keys are discarded if the provider does not reply, because it may have withdrawn them. */
export const KEYS_USABLE_MS = 3_600_000

/** The deadline for a provider's reply: a client that wants a session waits for it. */
export const KEYS_DEADLINE_MS = 3_000

/** The largest key set, bytes. Large ones, with their certificates, have some 25 kB. */
export const MAX_KEYS_BYTES = 64 * 1024

/** The shortest RSA key, bits (RFC 7518, 3.3). */
export const MIN_RSA_BITS = 2048
