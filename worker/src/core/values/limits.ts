/** The longest key, in bytes of UTF-8. CouchDB and DynamoDB allow more; a short key keeps an index row small. */
export const MAX_KEY_BYTES = 512

/** The largest value, in bytes of its JSON text. */
export const MAX_VALUE_BYTES = 256 * 1024

/** The most changes in one request. */
export const MAX_CHANGES = 500

/** The largest request body, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024

/** The largest message that a socket accepts, in bytes: a request body and its envelope. */
export const MAX_MESSAGE_BYTES = MAX_BODY_BYTES + 1024

/**
 * The deepest nesting of arrays and objects inside a value. Editors that build documents of JSON (ProseMirror, TipTap)
 * take four levels for each level of a list, so this allows thirty. RPC, structured clones and `JSON.stringify`
 * recurse, and bear some thousands.
 */
export const MAX_DEPTH = 128

/** The most collections in a filter or a token. */
export const MAX_COLLECTIONS = 64

/** The most query parameters: more than any route has, with each collection as one. A URL may hold thousands. */
export const MAX_QUERY_PARAMETERS = 16 + MAX_COLLECTIONS

/** The most entries in one page of the feed, and the default page size. */
export const MAX_PAGE_ENTRIES = 500

/** The most entries in one page of a list by prefix, and the default. */
export const MAX_LISTED_ENTRIES = 100
export const LISTED_ENTRIES = 50

/** The entries that a list by prefix opens at a time: with the largest values they take about a megabyte. */
export const ENTRIES_AT_ONCE = 5

/** After how many of these openings a page of the list ends, whatever it holds. */
export const MAX_LIST_ROUNDS = 200

/** The size in bytes of UTF-8 at which a page of the feed ends, though never before its first entry. */
export const MAX_PAGE_BYTES = 1024 * 1024

/**
 * The bytes of the log after which a page of the feed ends, whatever it found: opening 1 MiB takes some milliseconds
 * (docs/storage.md), during which the space does nothing else.
 */
export const MAX_PAGE_READ_BYTES = 4 * 1024 * 1024

/**
 * The memory for the requests that one object serves at the same time: a quarter of the 128 MB of its isolate, which
 * other objects share. Further requests wait in line.
 */
export const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024

/** The memory for reading a page: the open row, its versions as values, and the page as entries and as a reply. */
export const PAGE_IN_FLIGHT_BYTES = 8 * 1024 * 1024

/**
 * The memory for a push, as a multiple of its text: 19 times as values in the worst case (many empty objects),
 * otherwise some eight times as text, values, lines, digest text and sealed content.
 */
export const PUSH_IN_FLIGHT_FACTOR = 20

/** The memory for a push that waits unparsed, as a multiple of its text: two bytes per character. */
export const PUSH_WAITING_FACTOR = 2

/** The memory for any other request that waits. */
export const WAITING_BYTES = 4 * 1024

/** The memory for all requests that wait: some fifteen pushes of the largest size, or thousands of other requests. */
export const MAX_WAITING_BYTES = 32 * 1024 * 1024

/** When to retry if the line of a space is full, seconds: four pages at a time take some ten milliseconds each. */
export const BUSY_RETRY_SECONDS = 1

/** The most exports and imports of one object at the same time: each holds a page for as long as its client takes. */
export const MAX_TRANSFERS = 4

/** When to retry an export or import that found no room, seconds. */
export const TRANSFER_RETRY_SECONDS = 30

/** The longest name of a collection, subject or space, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 128

/**
 * The deadline for the next `MIN_BODY_BYTES` of a body, or its rest: 8 kbit/s, a sixteenth of the slowest lines that
 * apps are used on (128 kbit/s). The runtime itself waits forever.
 */
export const BODY_DEADLINE_MS = 10_000
export const MIN_BODY_BYTES = 10 * 1024

/**
 * The memory for bodies that are arriving, of an isolate's 128 MB. Past it, bodies that take longer than
 * `BODY_DEADLINE_MS` in total are aborted. It holds half a minute of 128 kbit/s from sixty devices, and limits clients
 * that send slowly on purpose.
 */
export const MAX_ARRIVING_BYTES = 32 * 1024 * 1024

/** The largest difference of a client's clock that is not corrected, because the network could explain it. */
export const CLOCK_TOLERANCE_MS = 2_000

/** The text length at which a chunk is closed, so that one entry is cheap to read. */
export const CHUNK_LENGTH = 64 * 1024

/** The size in bytes up to which a segment row takes further chunks. The platform's limit is 2 MB. */
export const SEGMENT_BYTES = 16 * 1024

/** The most rows that the newest row of the log holds for their tables: about one for each small change in it. */
export const MAX_PENDING_ROWS = 64

/** The most entry rows that a space remembers, at about 200 bytes each. */
export const MAX_RECENT_ENTRIES = 10_000

/** The most blocks of 1,000 sequence numbers, at a byte each, in which a space remembers which versions are current. */
export const MAX_KNOWN_BLOCKS = 1100

/** The newest changes that a space keeps in clear for its followers: their total length, and their count. */
export const MAX_RECENT_LENGTH = 256 * 1024
export const MAX_RECENT_CHANGES = 2000

/** The most clashing fields that a conflict names one by one. Past it, the conflict names the whole value. */
export const MAX_POINTERS = 100

/** The longest total of these pointers, in UTF-16 code units: the name of a field may be as long as the value. */
export const MAX_POINTERS_LENGTH = 8 * 1024

/** The longest pointer to a fault, in UTF-16 code units: 500 of them stay far below the size of a page. */
export const MAX_POINTER_LENGTH = 512

/**
 * The size of the values that the conflicts and merges of one reply show, in bytes. Further values are read one by one.
 */
export const MAX_REPORT_BYTES = 1024 * 1024

/**
 * The total length of the texts that one batch merges, in UTF-16 code units: several times a batch, because both sides
 * of a merge are documents of about the same size.
 */
export const MAX_MERGED_LENGTH = 8 * 1024 * 1024

/**
 * The total length of the contents that are kept while a batch is decided, in UTF-16 code units, and the number that
 * are opened at a time: hundreds of small changes can meet as many large values.
 */
export const MAX_OPENED_LENGTH = 8 * 1024 * 1024
export const OPENED_AT_ONCE = 16

/**
 * The number of versions of a client's run that are searched for an un-numbered retry, and for a base sent as a value.
 */
export const RUN_DEPTH = 16

/** The most changes that are committed together, unless one batch has more: such a group takes some tens of milliseconds. */
export const MAX_GROUP_CHANGES = 4000

/** The most collections in the configuration. */
export const MAX_POLICIES = 256

/** The longest retention that can be configured, days. */
export const MAX_RETENTION_DAYS = 3650

/**
 * How long a Worker trusts the configuration that it last read, and how soon a space that has heard of a newer one
 * looks for it again. KV itself takes up to a minute.
 */
export const CONFIG_MAX_AGE_MS = 30_000

/** How long a space trusts its copy of the configuration while no Worker tells it of a newer one, as on sockets. */
export const CONFIG_UNHEARD_MS = 300_000

/** The largest quota of entries: more than fit into the bytes of a space. */
export const MAX_QUOTA_ENTRIES = 100_000_000

/** The largest quota of bytes: the platform's storage per object (10 GB). */
export const MAX_QUOTA_BYTES = 10_000_000_000

/**
 * The storage of a full space beyond its quota, bytes, for deletions without a value and client records, each at most
 * about a kilobyte. A full device can continue, and nobody can fill an object without end.
 */
export const SPARE_BYTES = 64 * 1024 * 1024

/** The length up to which verdicts need no room in a full space. A batch of applied deletions stays far below it. */
export const SMALL_VERDICTS = 256

/** The most versions in one page of a history. */
export const MAX_HISTORY_VERSIONS = 100

/** The most lines of an export that are stored in one transaction, and their total length in characters. */
export const IMPORT_BATCH_LINES = 500
export const IMPORT_BATCH_LENGTH = 512 * 1024

/** The longest line of an export, characters: a value of the largest size, its key, and escapes. */
export const MAX_LINE_LENGTH = 1024 * 1024

/** The most blank lines at the end of an export, so that a stream of line ends is not read forever. */
export const MAX_BLANK_LINES = 100

/** When to retry while an import fills the space: most exports are stored by then. */
export const IMPORT_RETRY_SECONDS = 10

/** When to retry while a space is overloaded or restarting: the platform moves most objects within seconds. */
export const ABSENCE_RETRY_SECONDS = 5

/** One day, ms. */
export const DAY_MS = 24 * 60 * 60 * 1000

/** How often a space wakes for upkeep while something in it ages, ms. */
export const UPKEEP_INTERVAL_MS = DAY_MS

/** How soon failed upkeep is retried, ms: doubled each time, up to an hour. */
export const ALARM_RETRY_MS = 10_000
export const MAX_ALARM_RETRY_MS = 3_600_000

/** How soon the log is rewritten once half of it is superseded, ms: a burst of writes is over by then. */
export const PASS_DELAY_MS = 10_000

/** The fewest superseded versions for which the log is rewritten at once. */
export const PASS_SUPERSEDED = 1000

/** The bytes of the log that a pass handles at a time. They are in memory a few times over, opened and sealed. */
export const SLICE_BYTES = 1024 * 1024

/** The most spaces that one request reseals: each is a call to an object, and a request has 1,000 of these. */
export const MAX_RESEALED = 100

/**
 * How long the result of a pass that met unreadable chunks is kept, ms. Later requests start a new pass. A sweep asks
 * every second, and a pass reads everything in the space.
 */
export const RESEAL_AGAIN_MS = 60_000

/** The number of entry states that one statement reads: their JSON stays far below the platform's 2 MB for a value. */
export const ENTRY_STATES_AT_ONCE = 1000

/** The most rows of each kind that are dropped at a time. */
export const DROP_ROWS = 1000

/** The limits that clients must observe; part of the replies of auth and status. */
export const PUBLISHED_LIMITS = {
  keyBytes: MAX_KEY_BYTES,
  valueBytes: MAX_VALUE_BYTES,
  changes: MAX_CHANGES,
  bodyBytes: MAX_BODY_BYTES,
  messageBytes: MAX_MESSAGE_BYTES,
  depth: MAX_DEPTH,
  pageEntries: MAX_PAGE_ENTRIES,
} as const
