/** The format of an export: NDJSON with a header, one entry per line as the feed shows it, and an end line. */
export const EXPORT_FORMAT = 'chronicle-export'
export const EXPORT_VERSION = 1

/** The first line. Identifies one export. */
export interface ExportHeader {
  readonly type: 'header'
  readonly format: typeof EXPORT_FORMAT
  readonly version: typeof EXPORT_VERSION
  readonly space: string
  readonly epoch: string
  /** The latest version when the export began. */
  readonly head: string
  /** Milliseconds since 1970. */
  readonly exportedAt: number
}

/** The last line. A file without it is incomplete. */
export interface ExportEnd {
  readonly type: 'end'
  /** The number of lines between header and end. */
  readonly entries: number
  /** The cursor from which a reader that holds the entries continues. */
  readonly cursor: string
}
