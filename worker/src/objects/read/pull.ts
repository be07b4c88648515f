import type { Session } from '../../core/access/session.ts'
import { formatCursor, isAbove, type ResetReason, resumePoint } from '../../core/feed/cursor.ts'
import { type Filter, narrow } from '../../core/values/collections.ts'
import { MAX_PAGE_ENTRIES } from '../../core/values/limits.ts'
import { NOTHING } from '../../core/values/version.ts'
import type { Space } from '../space/space.ts'
import { type Page, readPage } from './feed.ts'

/** What a reader asks for; `collections` narrows what the session grants. */
export interface PullQuery {
  readonly cursor: string | null
  readonly limit?: number | undefined
  readonly collections?: Filter | undefined
  /** Whether the reader wants back what its own request wrote. */
  readonly echo?: boolean | undefined
}

/** A page as replies carry it. */
export interface Pulled {
  readonly fields: {
    readonly cursor: string
    readonly more: boolean
    readonly reset: boolean
    /** Only under `reset`. */
    readonly resetReason?: ResetReason
  }
  readonly entries: Page['entries']
}

/** A stretch of the log, inclusive, and whether all of it is as the client sent it. */
export interface Wrote {
  readonly from: number
  readonly to: number
  readonly verbatim: boolean
}

/**
 * Reads on from a cursor. What the reader's own request `wrote` is left out, unless it asks for that, the space made a
 * value of it, or the reader's copy starts anew: then it needs everything. A page is read again where deletions were forgotten, or
 * the whole space erased, while it was read.
 */
export async function pull(
  space: Space,
  session: Session,
  { query, wrote }: { query: PullQuery; wrote: Wrote | null },
): Promise<Pulled> {
  const filter = narrow(query.collections ?? null, session.collections)
  for (;;) {
    const { epoch, floor, seq: last } = space.state
    const head = wrote === null ? last : wrote.from - 1
    const { seq, scan, reset } = resumePoint(query.cursor, filter, { epoch, floor, head })
    const anew = query.cursor === null || reset !== null
    const echo = anew || !wrote?.verbatim ? null : ([wrote.from, wrote.to] as const)
    const limit = query.limit ?? MAX_PAGE_ENTRIES
    const leftOut = query.echo === true ? null : echo
    const page = await readPage(space, { after: seq, limit, filter, echo: leftOut, deletionsAfter: NOTHING })
    if (space.state.epoch !== epoch || !isAbove(space.state.floor, { seq, scan })) continue
    const cursor = formatCursor(epoch, { seq: page.position, scan }, filter)
    const started = reset === null ? { reset: false } : { reset: true, resetReason: reset }
    return { fields: { cursor, more: page.more, ...started }, entries: page.entries }
  }
}
