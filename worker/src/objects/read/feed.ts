import type { EntryState } from '../../core/batch/stance.ts'
import { type Chunk, decodeChunks } from '../../core/log/chunk.ts'
import { firstSeq, lastSeq } from '../../core/log/chunk-header.ts'
import { allows, type Filter } from '../../core/values/collections.ts'
import { utf8Length } from '../../core/values/json.ts'
import { MAX_PAGE_BYTES, MAX_PAGE_READ_BYTES } from '../../core/values/limits.ts'
import { formatVersion, type Version } from '../../core/values/version.ts'
import { CorruptionError, openChunk } from '../space/log.ts'
import type { Space } from '../space/space.ts'

/** What to read: the latest version of every key after a position, oldest first. */
export interface FeedQuery {
  readonly after: number
  readonly limit: number
  readonly filter: Filter
  /** The versions that the reader itself just wrote, from and to inclusive, and need not get back. */
  readonly echo: readonly [from: number, to: number] | null
  /** Earlier deletions are left out. */
  readonly deletionsAfter: number
}

/** A page of the feed. Where `more` is false it ends in a consistent snapshot; where it is true, it may be empty. */
export interface Page {
  /** Each entry as the text of its JSON: it is written once and not again for the reply. */
  readonly entries: readonly string[]
  /** The sequence number to go on from. */
  readonly position: number
  readonly more: boolean
}

/** A page being filled: a key that was written again while the page was read keeps only its latest entry. */
interface PageBuilder {
  readonly query: FeedQuery
  readonly entries: Map<string, string>
  position: number
  bytes: number
  /** How much of the log was read for it, bytes. */
  read: number
}

/**
 * Reads a page. Opening what is sealed takes time in which the space may move on, so what a chunk holds is
 * compared with the heads after it was opened, and the page is a snapshot only if nothing followed by then.
 */
export async function readPage(space: Space, query: FeedQuery): Promise<Page> {
  const draft: PageBuilder = { query, entries: new Map(), position: query.after, bytes: 0, read: 0 }
  while (draft.position < space.state.seq) {
    if (isFull(draft) || draft.read >= MAX_PAGE_READ_BYTES) return toPage(draft, true)
    await readSegment(space, draft)
  }
  return toPage(draft, false)
}

function toPage({ entries, position }: PageBuilder, more: boolean): Page {
  return { entries: [...entries.values()], position, more }
}

function isFull({ query, entries, bytes }: PageBuilder): boolean {
  return entries.size >= query.limit || bytes >= MAX_PAGE_BYTES
}

async function readSegment(space: Space, draft: PageBuilder): Promise<void> {
  const segment = space.store.segmentAt(draft.position + 1)
  if (segment === undefined) {
    draft.position = space.state.seq
    return
  }
  draft.read += segment.body.length
  const wanted = decodeChunks(segment.body).filter(({ header }) => lastSeq(header) > draft.position)
  const foreign = wanted.filter((chunk) => !isEcho(chunk, draft.query.echo))
  const versions = (await Promise.all(foreign.map((chunk) => openChunk(space, chunk)))).flat()
  const heads = space.store.entryStates(versions.map(({ key }) => key))
  for (const version of versions) {
    if (version.seq <= draft.position || !isCurrent(version, heads)) continue
    if (isFull(draft)) return
    draft.position = version.seq
    if (isShown(draft.query, version)) add(draft, version, space.state.epoch)
  }
  draft.position = segment.last
}

function isShown({ filter, deletionsAfter }: FeedQuery, { key, deleted, seq }: Version): boolean {
  return allows(filter, key) && (!deleted || seq > deletionsAfter)
}

function isEcho({ header }: Chunk, echo: FeedQuery['echo']): boolean {
  return echo !== null && firstSeq(header) >= echo[0] && lastSeq(header) <= echo[1]
}

/** Whether a key stands at a version; throws where the version is not what the key's head promised. */
function isCurrent(version: Version, heads: ReadonlyMap<string, EntryState>): boolean {
  const head = heads.get(version.key)
  if (head?.seq !== version.seq) return false
  if (!agrees(version, head))
    throw new CorruptionError(`version ${version.seq} is not what its head promised`)
  return true
}

/** Whether what was opened is what the head says: an older chunk of the same key in its place is not. */
export function agrees(version: Version, head: EntryState): boolean {
  return version.at === head.at && version.by === head.by && version.deleted === head.deleted
}

function add(draft: PageBuilder, version: Version, epoch: string): void {
  const text = JSON.stringify(entryOf(version, epoch))
  draft.entries.delete(version.key)
  draft.entries.set(version.key, text)
  draft.bytes += utf8Length(text)
}

/** An entry as every reply shows it; a deletion carries its last value if it came with one. */
export function entryOf({ seq, key, by, at, deleted, value }: Version, epoch: string): object {
  const content = { ...(deleted && { deleted }), ...(value !== undefined && { value }) }
  return { key, ...content, timestamp: at, version: formatVersion(epoch, seq), by }
}
