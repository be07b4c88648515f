import type { EntryState } from '../../core/batch/stance.ts'
import { decodeChunks } from '../../core/log/chunk.ts'
import { firstSeq, lastSeq } from '../../core/log/chunk-header.ts'
import { allows, type Filter } from '../../core/values/collections.ts'
import { utf8Length } from '../../core/values/json.ts'
import { MAX_PAGE_BYTES, MAX_PAGE_READ_BYTES } from '../../core/values/limits.ts'
import { formatVersion, type Version } from '../../core/values/version.ts'
import type { KnownVersions } from '../space/known-versions.ts'
import { CorruptionError, openChunk } from '../space/log.ts'
import type { RecentChunk, RecentVersion } from '../space/recent-changes.ts'
import type { Space } from '../space/space.ts'

/** Selects the latest version of every key after a position, oldest first. */
export interface FeedQuery {
  readonly after: number
  readonly limit: number
  readonly filter: Filter
  /** The versions that the reader has just written itself, inclusive. They are left out. */
  readonly echo: readonly [from: number, to: number] | null
  /** Earlier deletions are left out. */
  readonly deletionsAfter: number
}

/** A page of the feed. If `more` is false, it ends in a consistent snapshot. If `more` is true, it may be empty. */
export interface Page {
  /** The JSON text of each entry, serialised once and not again for the reply. */
  readonly entries: readonly string[]
  /** The sequence number to continue from. */
  readonly position: number
  readonly more: boolean
}

/** A page being built. A key that is written again while the page is read keeps only its latest entry. */
interface PageBuilder {
  readonly query: FeedQuery
  readonly entries: Map<string, string>
  position: number
  bytes: number
  /** How much of the log was read for the page, bytes. */
  read: number
}

/**
 * Reads a page. The space may change while a chunk is opened. Its versions are therefore compared with the entry rows
 * after it was opened, and the page is a snapshot only if nothing has followed by then.
 */
export async function readPage(space: Space, query: FeedQuery): Promise<Page> {
  const builder: PageBuilder = { query, entries: new Map(), position: query.after, bytes: 0, read: 0 }
  while (builder.position < space.state.seq) {
    if (isFull(builder) || builder.read >= MAX_PAGE_READ_BYTES) return toPage(builder, true)
    await readNext(space, builder)
  }
  return toPage(builder, false)
}

function toPage({ entries, position }: PageBuilder, more: boolean): Page {
  return { entries: [...entries.values()], position, more }
}

/**
 * The fewest entry rows that one statement looks up. A large space keeps each in a database page of its own, so a page of
 * the feed does not look up versions that it has no room for.
 */
const MIN_LOOKUPS = 50

function roomIn({ query, entries }: PageBuilder): number {
  return query.limit - entries.size
}

function isFull({ query, entries, bytes }: PageBuilder): boolean {
  return entries.size >= query.limit || bytes >= MAX_PAGE_BYTES
}

/** The next versions of the log that may be shown, up to a sequence number. */
interface Stretch {
  readonly versions: readonly (Version | RecentVersion)[]
  readonly to: number
}

async function readNext(space: Space, builder: PageBuilder): Promise<void> {
  const { known } = space
  const { versions, to } = recentStretch(space, builder) ?? (await openSegment(space, builder))
  const rest = versions.filter(({ seq }) => seq > builder.position)
  while (rest.length > 0) {
    const some = rest.splice(0, Math.max(roomIn(builder), MIN_LOOKUPS))
    const unknown = some.filter(({ seq }) => known.isCurrent(seq) === undefined)
    const states = space.store.entryStates(unknown.map(({ key }) => key))
    for (const version of some) {
      const isCurrent = known.isCurrent(version.seq) ?? lookUp(known, version, states)
      if (!isCurrent) continue
      if (isFull(builder)) return
      builder.position = version.seq
      if (isShown(builder.query, version)) add(builder, version, space.state.epoch)
    }
  }
  builder.position = to
}

/** Takes all that is left to read from memory; null if some of it is only in the log. */
function recentStretch({ recent, state }: Space, { position, query }: PageBuilder): Stretch | null {
  const { epoch } = state
  const chunks = recent.after(position, state.seq, (version) => entryText(version, epoch))
  if (chunks === null) return null
  const foreign = chunks.filter((chunk) => !isEcho(chunk, query.echo))
  return { versions: foreign.flatMap(({ versions }) => versions), to: state.seq }
}

/** Opens the next row of the log. */
async function openSegment(space: Space, builder: PageBuilder): Promise<Stretch> {
  const segment = space.store.segmentAt(builder.position + 1)
  if (segment === undefined) return { versions: [], to: space.state.seq }
  builder.read += segment.body.length
  const wanted = decodeChunks(segment.body).filter(({ header }) => lastSeq(header) > builder.position)
  const foreign = wanted.filter((chunk) => !isEcho(chunk, builder.query.echo))
  const versions = await Promise.all(foreign.map((chunk) => openChunk(space, chunk)))
  return { versions: versions.flat(), to: segment.last }
}

type Stand = Omit<RecentVersion, 'text'>

function isShown({ filter, deletionsAfter }: FeedQuery, { key, deleted, seq }: Stand): boolean {
  return allows(filter, key) && (!deleted || seq > deletionsAfter)
}

function isEcho({ header }: Pick<RecentChunk, 'header'>, echo: FeedQuery['echo']): boolean {
  return echo !== null && firstSeq(header) >= echo[0] && lastSeq(header) <= echo[1]
}

/**
 * Whether a version is the current one of its key, by its entry row. Throws if it is, but does not match the row. The
 * answer is remembered, except for a version from memory, because its copy in the log was not compared.
 */
function lookUp(
  known: KnownVersions,
  version: Version | RecentVersion,
  states: ReadonlyMap<string, EntryState>,
): boolean {
  const entry = states.get(version.key)
  const isCurrent = entry?.seq === version.seq
  if (isCurrent && !matches(version, entry)) throw mismatch(entry)
  if (!('text' in version)) known.learn(version.seq, isCurrent)
  return isCurrent
}

/** Whether a version matches the entry row of its key. An older chunk of the same key put in its place does not. */
export function matches(version: Stand, entry: EntryState): boolean {
  return version.at === entry.at && version.by === entry.by && version.deleted === entry.deleted
}

export function mismatch({ seq }: EntryState): CorruptionError {
  return new CorruptionError(`version ${seq} does not match its entry row`)
}

function add(builder: PageBuilder, version: Version | RecentVersion, epoch: string): void {
  const text = 'text' in version ? version.text : entryText(version, epoch)
  builder.entries.delete(version.key)
  builder.entries.set(version.key, text)
  builder.bytes += utf8Length(text)
}

/** An entry as all replies show it, as JSON. A deletion has a value if its client sent one. */
export function entryText({ seq, key, by, at, deleted, value }: Version, epoch: string): string {
  const content = { ...(deleted && { deleted }), ...(value !== undefined && { value }) }
  return JSON.stringify({ key, ...content, timestamp: at, version: formatVersion(epoch, seq), by })
}
