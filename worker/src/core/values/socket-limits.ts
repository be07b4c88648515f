/** The lifetime of a ticket for a socket: a minute allows for a slow network, and little more. */
export const TICKET_TTL_SECONDS = 60

/**
 * The most sockets of one space. The platform allows 32,768 per object, but messages in flight to each may take
 * `MAX_UNSEEN_BYTES`. The 128 MB belong to the isolate, which other objects of the class may share, so the sockets of
 * one object take an eighth of it at most: 16 MB.
 */
export const MAX_SOCKETS = 250

/** The largest frame of changes, in bytes, and the most entries in it. The client pulls what exceeds it. */
export const MAX_FRAME_BYTES = 64 * 1024
export const MAX_FRAME_ENTRIES = 100

/** The most unconfirmed frames of a client, and their bytes. Past it, the client is only told to pull. */
export const MAX_UNSEEN_FRAMES = 32
export const MAX_UNSEEN_BYTES = 64 * 1024

/** The most unconfirmed frames and acks of a client: its socket stores each in some 30 bytes. */
export const MAX_UNSEEN = 64

/** The longest message other than a push, in UTF-16 code units: a cursor and its envelope. */
export const MAX_NOTE_LENGTH = 4 * 1024

/**
 * The number of messages over budget that are refused before the next one ends the socket. An accepted message makes up
 * for a refused one.
 */
export const MAX_REFUSED_MESSAGES = 16

/** The most queued messages of one socket, and their total length in UTF-16 code units. */
export const MAX_QUEUED_MESSAGES = 100
export const MAX_QUEUED_LENGTH = 4 * 1024 * 1024

/**
 * The total length of the queued messages of all sockets of a space. Past it, a socket with none in line may still
 * queue a short one.
 */
export const MAX_ALL_QUEUED_LENGTH = 16 * 1024 * 1024

/** The longest such message: all sockets of a space together double the queue at most. */
export const MAX_LONE_LENGTH = 64 * 1024

/** The most bytes of unconfirmed replies that a client has asked for on a socket: some of the largest ones. */
export const MAX_UNSEEN_REPLY_BYTES = 4 * 1024 * 1024

/** How long a message may stay unconfirmed before the next frame ends the socket, ms. */
export const SEEN_DEADLINE_MS = 30_000

/**
 * The longest session and filter of a socket, in UTF-16 code units of JSON. They survive hibernation in an attachment
 * of at most 16,384 bytes (the platform's limit), of which unconfirmed messages take up to a kilobyte.
 */
export const MAX_ATTACHMENT_LENGTH = 7000
