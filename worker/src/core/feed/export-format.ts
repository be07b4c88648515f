/** What an export says of itself: NDJSON, a header, an entry a line as the feed shows it, an end. */
export const EXPORT_FORMAT = 'chronicle-export'
export const EXPORT_VERSION = 1

/** The first line. Names one export and no other. */
export interface ExportHeader {
  readonly type: 'header'
  readonly format: typeof EXPORT_FORMAT
  readonly version: typeof EXPORT_VERSION
  readonly space: string
  readonly epoch: string
  /** The version at which it began. */
  readonly head: string
  /** Milliseconds since 1970. */
  readonly exportedAt: number
}

/** The last line: without it the file is torn. */
export interface ExportEnd {
  readonly type: 'end'
  /** How many lines lie between header and end. */
  readonly entries: number
  /** A reader of the space who has the entries goes on from here. */
  readonly cursor: string
}
