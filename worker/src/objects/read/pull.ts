import type { Session } from '../../core/access/session.ts'
import { formatCursor, isAbove, type ResetReason, resumePoint } from '../../core/feed/cursor.ts'
import { type Filter, narrow } from '../../core/values/collections.ts'
import { MAX_PAGE_ENTRIES } from '../../core/values/limits.ts'
import { NOTHING } from '../../core/values/version.ts'
import type { Space } from '../space/space.ts'
import { type Page, readPage } from './feed.ts'

/** The query of a pull. `collections` narrows the session's grant. */
export interface PullQuery {
  readonly cursor: string | null
  readonly limit?: number | undefined
  readonly collections?: Filter | undefined
  /** Whether the reply includes the changes that the request itself wrote. */
  readonly echo?: boolean | undefined
}

/** A page as replies carry it. */
export interface Pulled {
  readonly fields: {
    readonly cursor: string
    readonly more: boolean
    readonly reset: boolean
    /** Present only if `reset` is true. */
    readonly resetReason?: ResetReason
  }
  readonly entries: Page['entries']
}

/** The range of sequence numbers that a request wrote, inclusive, and whether the space stored all of it as it was sent. */
export interface Wrote {
  readonly from: number
  readonly to: number
  readonly verbatim: boolean
}

interface PullInput {
  readonly query: PullQuery
  readonly wrote: Wrote | null
}

/**
 * Reads a page from a cursor. The versions that the request itself `wrote` are left out, unless the query asks for them,
 * the space made one of the values, or the reader's copy starts over and needs everything. The page is read again if
 * tombstones were deleted, or the space erased, while it was read.
 */
export function pull(space: Space, session: Session, input: PullInput): Promise<Pulled> {
  return space.tracer.span('pull', () => pullNow(space, session, input))
}

async function pullNow(space: Space, session: Session, { query, wrote }: PullInput): Promise<Pulled> {
  const filter = narrow(query.collections ?? null, session.collections)
  for (;;) {
    const { epoch, floor, seq: last } = space.state
    const head = wrote === null ? last : wrote.from - 1
    const { seq, scan, reset } = resumePoint(query.cursor, filter, { epoch, floor, head })
    const startsOver = query.cursor === null || reset !== null
    const echo = startsOver || !wrote?.verbatim ? null : ([wrote.from, wrote.to] as const)
    const limit = query.limit ?? MAX_PAGE_ENTRIES
    const leftOut = query.echo === true ? null : echo
    const page = await readPage(space, { after: seq, limit, filter, echo: leftOut, deletionsAfter: NOTHING })
    if (space.state.epoch !== epoch || !isAbove(space.state.floor, { seq, scan })) continue
    const cursor = formatCursor(epoch, { seq: page.position, scan }, filter)
    const resetFields = reset === null ? { reset: false } : { reset: true, resetReason: reset }
    return { fields: { cursor, more: page.more, ...resetFields }, entries: page.entries }
  }
}
