import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { formatCursor, isAbove } from '../../core/feed/cursor.ts'
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportEnd,
  type ExportHeader,
} from '../../core/feed/export-format.ts'
import { MAX_PAGE_ENTRIES } from '../../core/values/limits.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { formatVersion, NOTHING } from '../../core/values/version.ts'
import { readPage } from '../read/feed.ts'
import { checkScope, checkSession, checkUnexpired, checkWhole } from '../space/admission.ts'
import { beginTransfer, EXPORT_PAGE_WEIGHT, type Transfer } from '../space/serve.ts'
import type { Space } from '../space/space.ts'

/**
 * `GET /api/export`: all entries of a space as NDJSON, including those written during the export. Holds one page in
 * memory and reads the next page on demand. If the session or the space ends first, the stream fails before its last line.
 */
export function exportSpace(
  space: Space,
  session: Session,
  clock: () => number,
): Result<ReadableStream<Uint8Array>, Fault> {
  const allowed = authorizeExport(space, session, clock())
  const begun = allowed.ok ? beginTransfer(space, session, clock()) : allowed
  return begun.ok ? accepted(byteStream(exportTexts(space, session, clock), begun.value)) : begun
}

function authorizeExport(space: Space, session: Session, now: number): Result<true, Fault> {
  const current = checkUnexpired(session, now)
  const known = current.ok ? checkSession(space, session, now) : current
  const reads = known.ok ? checkScope(session, 'sync:read') : known
  return reads.ok ? checkWhole(session) : reads
}

/** Yields the lines of an export. Reads the clock for each page, because the reader decides how long an export takes. */
async function* exportTexts(space: Space, session: Session, clock: () => number): AsyncGenerator<string> {
  const { epoch, seq: scan } = space.state
  yield lineOf({
    type: 'header',
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    space: session.space,
    epoch,
    head: formatVersion(epoch, scan),
    exportedAt: clock(),
  })
  let [seq, count] = [NOTHING, 0]
  for (let more = true; more; ) {
    const query = { after: seq, limit: MAX_PAGE_ENTRIES, filter: null, echo: null, deletionsAfter: scan }
    const read = await space.inFlight.serve(EXPORT_PAGE_WEIGHT, async () =>
      accepted(await readPage(space, query)),
    )
    // A tombstone may be missing only if its key was never exported: the key was deleted before the export began.
    const whole = space.state.epoch === epoch && isAbove(space.state.floor, { seq, scan })
    if (!whole || !read.ok || !authorizeExport(space, session, clock()).ok)
      throw new Error('the export cannot be finished')
    const page = read.value
    if (page.entries.length > 0) yield `${page.entries.join('\n')}\n`
    seq = page.position
    count += page.entries.length
    more = page.more
  }
  yield lineOf({ type: 'end', entries: count, cursor: formatCursor(epoch, { seq, scan }, null) })
}

function lineOf(line: ExportHeader | ExportEnd): string {
  return `${JSON.stringify(line)}\n`
}

/** A byte stream of texts, each made on demand. RPC transfers only byte streams. */
function byteStream(texts: AsyncGenerator<string>, transfer: Transfer): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const { value, done } = await texts.next().catch((thrown: unknown) => {
        transfer.end()
        throw thrown
      })
      if (!done) return controller.enqueue(encoder.encode(value))
      transfer.end()
      controller.close()
      controller.byobRequest?.respond(0)
    },
    async cancel() {
      transfer.end()
      await texts.return(undefined)
    },
  })
}
