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
import { beginTransfer, EXPORTED_PAGE, type Transfer } from '../space/serve.ts'
import type { Space } from '../space/space.ts'

/**
 * `GET /api/export`: all entries of a space as NDJSON, up to a head that moves while it is read. Holds one page in
 * memory, and reads the next one when it is asked for. What cannot be ended, because the session or the space has,
 * breaks off without the last line.
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

/** Reads the clock again for each page: it is up to the reader how long an export takes. */
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
    const read = await space.inFlight.serve(EXPORTED_PAGE, async () => accepted(await readPage(space, query)))
    // A deletion may only be missing here if its key was never shown: it was deleted before the export began.
    const whole = space.state.epoch === epoch && isAbove(space.state.floor, { seq, scan })
    if (!whole || !read.ok || !authorizeExport(space, session, clock()).ok)
      throw new Error('the export cannot be ended')
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

/** Texts as the bytes of a stream, each made only when it is wanted. The platform hands over no other streams. */
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
