/** The longest key, in bytes of UTF-8. CouchDB and DynamoDB allow more; an index row stays small with this. */
export const MAX_KEY_BYTES = 512

/** The largest value, in bytes of its JSON text. */
export const MAX_VALUE_BYTES = 256 * 1024

/** The most changes one request carries. */
export const MAX_CHANGES = 500

/** The largest request body, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024

/**
 * How deep arrays and objects may nest inside a value. The editors that build documents of JSON (ProseMirror, TipTap)
 * take four levels for each level of a list: this bears thirty. RPC, structured clones and `JSON.stringify` recurse, and
 * bear some thousands.
 */
export const MAX_DEPTH = 128

/** The most collections a filter or a token names. */
export const MAX_COLLECTIONS = 64

/** The most parameters of a query: more than any route has, each collection by itself. A URL may hold thousands. */
export const MAX_QUERY_PARAMETERS = 16 + MAX_COLLECTIONS

/** The most entries one page of the feed holds, and its size when the client names none. */
export const MAX_PAGE_ENTRIES = 500

/** A page of the feed ends once it holds this much, in bytes of UTF-8, but never before its first entry. */
export const MAX_PAGE_BYTES = 1024 * 1024

/**
 * A page of the feed ends once it has read this much of the log, whatever it found: opening 1 MiB takes some
 * milliseconds (docs/storage.md), in which the space does nothing else.
 */
export const MAX_PAGE_READ_BYTES = 4 * 1024 * 1024

/**
 * What the requests that one object serves at a time hold of the 128 MB of its isolate, which other objects share: a
 * quarter. More requests than that wait in line.
 */
export const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024

/** What reading a page takes: the row that is open, its versions as values, and the page as entries and as a reply. */
export const PAGE_IN_FLIGHT_BYTES = 8 * 1024 * 1024

/**
 * How many times its text a push takes: 19 times as values in the worst case, which are many empty objects, and else
 * some eight times as text, values, lines, the text of their digest, and sealed.
 */
export const PUSH_IN_FLIGHT_FACTOR = 20

/** How many times its text a push holds while it waits, not yet parsed: two bytes a character. */
export const PUSH_WAITING_FACTOR = 2

/** What any other request holds while it waits. */
export const WAITING_BYTES = 4 * 1024

/** What all that wait may hold together: some fifteen pushes of the largest size, or thousands of other requests. */
export const MAX_WAITING_BYTES = 32 * 1024 * 1024

/** When to ask again a space whose line is full, s: four pages at a time take some ten milliseconds each. */
export const BUSY_RETRY_SECONDS = 1

/** How many exports and imports one object deals with at a time: each holds a page for as long as its client takes. */
export const MAX_TRANSFERS = 4

/** When to ask again for another one, s. */
export const TRANSFER_RETRY_SECONDS = 30

/** The longest name of a collection, subject or space, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 128

/** The longest credential that is read at all: identity providers' tokens stay under it. */
export const MAX_CREDENTIAL_LENGTH = 8192

/** The longest session that a token may lead to: leaves room for a longer time or generation than today's. */
export const MAX_SESSION_LENGTH = 8000

/** How long a session lasts. Revocation does not wait for it: the space knows at once. */
export const SESSION_TTL_SECONDS = 3600

/** How long a socket can be opened with a ticket: a minute bears a slow network, and little more. */
export const TICKET_TTL_SECONDS = 60

/** How long a token that is replaced may go on, at most: 30 days, for devices that are switched on once a month. */
export const MAX_OVERLAP_SECONDS = 30 * 24 * 3600

/** How long it is known what operators did: a year, and what it takes to look back on it. */
export const AUDIT_TTL_SECONDS = 400 * 24 * 3600

/**
 * How long an address that failed too often has its look-ups counted, ms: the longest period of the platform's counters.
 * And how many such addresses an isolate remembers: about a megabyte.
 */
export const FAILED_FOR_MS = 60_000
export const MAX_FAILED_ADDRESSES = 10_000

/**
 * How long the next so many bytes of a body, or its rest, may take: 8 kbit/s, a sixteenth of the slowest lines that apps
 * are used on (128 kbit/s). The runtime itself waits for ever.
 */
export const BODY_DEADLINE_MS = 10_000
export const MIN_BODY_BYTES = 10 * 1024

/**
 * What the bodies that are arriving may hold of an isolate's 128 MB before those are given up that take longer than
 * `BODY_DEADLINE_MS` in all: half a minute of 128 kbit/s from sixty devices, and no more than that from who drips.
 */
export const MAX_ARRIVING_BYTES = 32 * 1024 * 1024

/** A clock that differs less than this is believed: the difference could as well be the network's. */
export const CLOCK_TOLERANCE_MS = 2_000

/** A chunk is closed once its text is this long, so that one entry is cheap to read. */
export const CHUNK_LENGTH = 64 * 1024

/** A segment row takes further chunks until it holds this many bytes; the platform's limit is 2 MB. */
export const SEGMENT_BYTES = 16 * 1024

/** The most clashing fields that a conflict names one by one: past it, it names the whole value. */
export const MAX_POINTERS = 100

/** How long they are together at most, in UTF-16 code units: the name of a field may be as long as the value. */
export const MAX_POINTERS_LENGTH = 8 * 1024

/** The longest pointer to a fault, in UTF-16 code units: 500 of them stay far below the size of a page. */
export const MAX_POINTER_LENGTH = 512

/** The values that the conflicts and merges of one reply show, in bytes; what is past it is read by itself. */
export const MAX_REPORT_BYTES = 1024 * 1024

/**
 * How long the texts are together that one batch merges, in UTF-16 code units: several times what a batch holds, because
 * both sides of a merge are documents of about one size.
 */
export const MAX_MERGED_LENGTH = 8 * 1024 * 1024

/**
 * How long the contents are together that are kept of what a batch is decided against, in UTF-16 code units, and how
 * many are opened at a time: hundreds of small changes can meet as many large values.
 */
export const MAX_OPENED_LENGTH = 8 * 1024 * 1024
export const OPENED_AT_ONCE = 16

/** How many versions of its client's run an un-numbered retry is looked for in, and a value that an edit names as its base. */
export const RUN_DEPTH = 16

/** The most bytes that go into one row of the log at once; the platform's limit is 2 MB. */
export const MAX_APPEND_BYTES = 1024 * 1024

/** The most collections that the configuration names. */
export const MAX_POLICIES = 256

/** The longest retention that can be configured, days. */
export const MAX_RETENTION_DAYS = 3650

/**
 * How long a Worker believes what it last read of the configuration, and how soon a space that has heard of a newer one
 * looks for it again; KV itself takes up to a minute.
 */
export const CONFIG_MAX_AGE_MS = 30_000

/** How long a space believes what it last read or heard of the configuration where no Worker tells it: on sockets. */
export const CONFIG_UNHEARD_MS = 300_000

/** What a budget of requests is counted over, s: also the longest period of the platform's own rate limits. */
export const BUDGET_WINDOW_SECONDS = 60

/** The most requests a minute that a budget can be given: more than one object serves. */
export const MAX_REQUESTS_PER_MINUTE = 1_000_000

/** How many clients, and how many credentials, a space remembers the requests of: some 5 MB of the 128 that it has. */
export const MAX_BUDGETS = 10_000

/** The most entries that a space can be allowed: more than fit into its bytes. */
export const MAX_QUOTA_ENTRIES = 100_000_000

/** The most bytes that a space can be allowed: what the platform lets an object store (10 GB). */
export const MAX_QUOTA_BYTES = 10_000_000_000

/**
 * What a full space stores beyond its quota, bytes: deletions without a value and the records of clients, each at most
 * about a kilobyte. So that a full device can go on, and nobody can fill an object without end.
 */
export const SPARE_BYTES = 64 * 1024 * 1024

/** Verdicts of so many characters take no room of a full space: a batch of deletions that is applied has far fewer. */
export const SMALL_VERDICTS = 256

/** The most identity providers, and the most audiences of one, that the configuration names. */
export const MAX_IDENTITY_PROVIDERS = 16
export const MAX_AUDIENCES = 16

/** The longest URL of an identity provider, and the longest name of a claim or audience, in UTF-16 code units. */
export const MAX_PROVIDER_URL_LENGTH = 256
export const MAX_CLAIM_NAME_LENGTH = 128

/** How old an identity provider's token may be, whatever it says of itself: the longest that providers commonly give. */
export const MAX_IDENTITY_AGE_SECONDS = 24 * 3600

/** How far an identity provider's clock may be ahead. What has expired has expired: there is none for that. */
export const IDENTITY_CLOCK_TOLERANCE_SECONDS = 10

/**
 * How often an identity provider is asked for its keys at most, by each isolate, whatever comes of it: because they are
 * old, or for one key that is not among them. And for how many such keys within that time.
 */
export const KEYS_COOLDOWN_MS = 30_000
export const KEYS_BURST = 5

/** How old its keys may be before it is asked again; the default of jose. */
export const KEYS_FRESH_MS = 600_000

/** How old they may be when it does not answer: past it a key that it may have withdrawn does not count. */
export const KEYS_USABLE_MS = 3_600_000

/** How long it may take to answer: whoever wants a session waits for it. */
export const KEYS_DEADLINE_MS = 3_000

/** The largest key set, bytes: large ones, with their certificates, have some 25 kB. */
export const MAX_KEYS_BYTES = 64 * 1024

/** The shortest RSA key, bits (RFC 7518, 3.3). */
export const MIN_RSA_BITS = 2048

/** The most versions one page of a history holds. */
export const MAX_HISTORY_VERSIONS = 100

/** How many lines of an export are stored in one transaction, and how long they are together at most, characters. */
export const IMPORT_BATCH_LINES = 500
export const IMPORT_BATCH_LENGTH = 512 * 1024

/** The longest line of an export, characters: a value of the largest size, its key, and escapes besides. */
export const MAX_LINE_LENGTH = 1024 * 1024

/** The most blank lines that the end of an export may have: what is only line ends must not be read for ever. */
export const MAX_BLANK_LINES = 100

/** When to ask again a space that is being filled: most exports are in by then. */
export const IMPORT_RETRY_SECONDS = 10

/** When to ask again a space that is overloaded or restarting: the platform moves most objects within seconds. */
export const ABSENCE_RETRY_SECONDS = 5

/** One day, ms. */
export const DAY_MS = 24 * 60 * 60 * 1000

/** How often a space in which something ages wakes to see to it, ms. */
export const UPKEEP_INTERVAL_MS = DAY_MS

/** How soon work that an alarm rang for is tried again after a failure, ms: doubled each time, up to an hour. */
export const ALARM_RETRY_MS = 10_000
export const MAX_ALARM_RETRY_MS = 3_600_000

/** How soon the log is written anew once half of it is superseded, ms: a burst of writes is over by then. */
export const PASS_DELAY_MS = 10_000

/** A log with fewer superseded versions than this is not worth writing anew at once. */
export const PASS_SUPERSEDED = 1000

/** How much of the log a pass deals with at a time, bytes; held in memory a few times over, opened and sealed. */
export const SLICE_BYTES = 1024 * 1024

/** The most spaces that one request has sealed anew: each is a call to an object, of which a request has 1,000. */
export const MAX_RESEALED = 100

/**
 * How long the result of a pass that met what it could not read is believed, ms; asked later, the space tries again. A
 * sweep asks every second, and a pass reads all that the space holds.
 */
export const RESEAL_AGAIN_MS = 60_000

/** How many heads are read by one statement: their JSON stays far below the platform's 2 MB for a value. */
export const HEADS_AT_ONCE = 1000

/** The most rows of each kind that are dropped at a time. */
export const DROP_ROWS = 1000

/**
 * The most sockets of one space. The platform bears 32,768 an object, but what is on its way to each of them may take
 * `MAX_UNSEEN_BYTES`. The 128 MB belong to the isolate, which other objects of the class may share, so that the sockets
 * of one take an eighth of it at most: 16 MB.
 */
export const MAX_SOCKETS = 250

/** The largest message that a socket takes, in bytes: a request body, and what it is wrapped in. */
export const MAX_MESSAGE_BYTES = MAX_BODY_BYTES + 1024

/** The largest frame of changes, in bytes, and the most entries in it: what is more is pulled. */
export const MAX_FRAME_BYTES = 64 * 1024
export const MAX_FRAME_ENTRIES = 100

/** The most frames, and bytes in frames, that a client has not confirmed: past it, it is only told to pull. */
export const MAX_UNSEEN_FRAMES = 32
export const MAX_UNSEEN_BYTES = 64 * 1024

/** The most frames and acks together that a client has not confirmed: its socket remembers each in some 30 bytes. */
export const MAX_UNSEEN = 64

/** The longest message on a socket that is no push, in UTF-16 code units: a cursor, and what it is wrapped in. */
export const MAX_NOTE_LENGTH = 4 * 1024

/**
 * How many messages may be over a budget, and are told so, before the next one ends the socket. One that is taken makes
 * up for one that was not.
 */
export const MAX_REFUSED_MESSAGES = 16

/** The most messages of one socket that wait for the one before, and how long they may be together, in UTF-16 code units. */
export const MAX_QUEUED_MESSAGES = 100
export const MAX_QUEUED_LENGTH = 4 * 1024 * 1024

/** How long those of all sockets of a space may be; one that has none waiting may send a short one all the same. */
export const MAX_ALL_QUEUED_LENGTH = 16 * 1024 * 1024

/** How long that one is at most: with all sockets of a space as much again. */
export const MAX_LONE_LENGTH = 64 * 1024

/** The most bytes that a client has asked for on a socket and not confirmed: some of the largest replies. */
export const MAX_UNSEEN_REPLY_BYTES = 4 * 1024 * 1024

/** How long what was sent on a socket may stay unconfirmed before the next frame ends the socket, ms. */
export const SEEN_DEADLINE_MS = 30_000

/**
 * The longest session and filter of a socket, in UTF-16 code units of JSON: they outlive hibernation in an attachment
 * of at most 16,384 bytes (the platform's limit), of which what is unconfirmed takes up to a kilobyte.
 */
export const MAX_ATTACHMENT_LENGTH = 7000

/** What a client needs to know to stay within bounds; part of the replies of auth and status. */
export const PUBLISHED_LIMITS = {
  keyBytes: MAX_KEY_BYTES,
  valueBytes: MAX_VALUE_BYTES,
  changes: MAX_CHANGES,
  bodyBytes: MAX_BODY_BYTES,
  messageBytes: MAX_MESSAGE_BYTES,
  depth: MAX_DEPTH,
  pageEntries: MAX_PAGE_ENTRIES,
} as const
