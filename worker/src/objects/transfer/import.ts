import type { Session } from '../../core/access/session.ts'
import { type Edit, type EditContext, toEdits } from '../../core/batch/change.ts'
import type { EntryState } from '../../core/batch/stance.ts'
import type { Fault } from '../../core/fault.ts'
import {
  groupByClient,
  type Imported,
  type ImportedVersion,
  type ImportPlan,
  lastOfEach,
  type Progress,
  planImport,
} from '../../core/feed/import-plan.ts'
import type { Chunk } from '../../core/log/chunk.ts'
import { packChunks } from '../../core/log/rows.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { parseHeader, parseImportLine } from '../../schema/import.ts'
import { checkCredential, checkUnexpired, checkWhole } from '../space/admission.ts'
import { checkQuota } from '../space/quota.ts'
import { beginTransfer } from '../space/serve.ts'
import type { Space } from '../space/space.ts'
import { arrangeUpkeep } from '../upkeep/upkeep.ts'
import { advance, type SealedLines, sealLines } from '../write/commit.ts'
import { lineReader } from './line-reader.ts'

/** The body of an import, the number of its first line in the export, and when it came (ms). */
export interface ImportRequest {
  readonly body: ReadableStream<Uint8Array>
  readonly line: number
  readonly now: number
}

/** It is up to the client how long an import takes: the clock is read again for every few lines. */
export interface ClockedRequest extends ImportRequest {
  readonly clock: () => number
}

/** Lines of an export, the number of the first, and when they came (ms). */
interface Lines {
  readonly texts: readonly string[]
  readonly first: number
  readonly now: number
  readonly clock: () => number
}

/** What some lines bring that was not in before, and how far the import has come with them. */
interface Stretch {
  readonly entries: readonly Imported[]
  readonly progress: Progress
  /** What is wrong with the line after them. */
  readonly fault: Fault | null
}

/**
 * `POST /api/import`: fills an empty space with an export, a transaction every few hundred lines, each with how far
 * it has come. Cut off anywhere it is sent again: lines that are in are passed over.
 */
export async function importSpace(
  space: Space,
  session: Session,
  { body, line, now, clock }: ClockedRequest,
): Promise<Result<string, Fault>> {
  const begun = beginTransfer(space, session, clock())
  if (!begun.ok) return begun
  const reader = body.getReader()
  const read = lineReader(reader, line, clock)
  try {
    for (let first = line; ; ) {
      const allowed = authorizeImport(space, session, clock())
      if (!allowed.ok) return allowed
      const texts = await read()
      if (!texts.ok) return texts
      if (texts.value.length === 0) break
      const stored = await storeLines(space, session, { texts: texts.value, first, now, clock })
      if (!stored.ok) return stored
      first += texts.value.length
    }
  } finally {
    begun.value.end()
    await reader.cancel()
  }
  await arrangeUpkeep(space, now)
  return accepted(replyOf(space))
}

function authorizeImport(space: Space, session: Session, now: number): Result<true, Fault> {
  const current = checkUnexpired(session, now)
  const known = current.ok ? checkCredential(space, session, now) : current
  return known.ok ? checkWhole(session) : known
}

function replyOf({ state: { imported, entries, seq } }: Space): string {
  const { line = 0, finished = false } = imported ?? {}
  return JSON.stringify({ success: true, line, entries, finished, edited: finished && imported?.seq !== seq })
}

async function storeLines(space: Space, session: Session, lines: Lines): Promise<Result<true, Fault>> {
  const { imported } = space.state
  const stretch = readStretch(space, lines)
  if (!stretch.ok) return stretch
  const { progress, fault } = stretch.value
  // All of it was in before, and may have been edited since: nothing of that is to be noted anew.
  if (progress === imported) return fault === null ? accepted(true) : refused(fault)
  const entries = lastOfEach(stretch.value.entries)
  const sealed = await sealRuns(space, entries, lines.now)
  // From here to the commit nothing is awaited.
  const allowed = authorizeImport(space, session, lines.clock())
  if (!allowed.ok) return allowed
  if (space.state.imported !== imported) return gap(space.state.imported)
  if (imported === null && space.state.seq > 0) return refused({ code: 'not-empty' })
  const plan = planImport(entries, space.state.seq, headsOf(space, entries))
  const room = checkQuota(space, session, {
    entries: plan.entries,
    content: plan.placed.length > 0,
    traces: false,
  })
  if (!room.ok) return room
  commitStretch(space, plan, { progress, sealed })
  return fault === null ? accepted(true) : refused(fault)
}

function readStretch(space: Space, { texts, first, now }: Lines): Result<Stretch, Fault> {
  const known = first === 1 ? begin(space, texts[0] ?? '') : resume(space, first)
  if (!known.ok) return known
  const context = { epoch: space.state.epoch, clock: { now, skew: 0 }, granted: null }
  const entries: Imported[] = []
  let progress = known.value
  for (const [index, text] of texts.entries()) {
    const line = first + index
    if (line <= progress.line) continue
    const read = progress.finished ? invalid(line, 'follows the end') : readLine(text, line, context)
    if (!read.ok) return accepted({ entries, progress, fault: read.fault })
    if (read.value !== 'end') entries.push(read.value)
    progress = { ...progress, line, finished: read.value === 'end' }
  }
  return accepted({ entries, progress, fault: null })
}

/** The import that a header belongs to: the one that is under way or done, or a new one into an empty space. */
function begin({ state: { imported, seq } }: Space, text: string): Result<Progress, Fault> {
  const header = parseHeader(text)
  if (!header.ok) return header
  const source = JSON.stringify(header.value)
  if (imported?.source === source) return accepted(imported)
  if (seq > 0) return refused({ code: 'not-empty' })
  return accepted({ source, line: 1, finished: false })
}

function resume({ state: { imported } }: Space, first: number): Result<Progress, Fault> {
  return imported === null || first > imported.line + 1 ? gap(imported) : accepted(imported)
}

function gap(imported: Progress | null): Result<never, Fault> {
  return refused({ code: 'import-gap', expected: (imported?.line ?? 0) + 1 })
}

/** The entry that a line holds, or `end`, whose count must be that of the lines before it. */
function readLine(text: string, line: number, context: EditContext): Result<Imported | 'end', Fault> {
  const parsed = parseImportLine(text, line)
  if (!parsed.ok) return parsed
  if ('type' in parsed.value) {
    const found = line - 2
    return parsed.value.entries === found
      ? accepted('end')
      : invalid(line, `counts ${parsed.value.entries} entries, ${found} came`)
  }
  const { key, value, deleted, timestamp, by } = parsed.value
  const [edit] = toEdits([{ key, value, deleted, timestamp }], context) as readonly [Edit]
  const place = edit.path === undefined ? '' : ` at ${edit.path}`
  return edit.rejection === null ? accepted({ edit, by }) : invalid(line, `${edit.rejection}${place}`)
}

function invalid(line: number, detail: string): Result<never, Fault> {
  return refused({ code: 'invalid-line', line, detail })
}

async function sealRuns(
  space: Space,
  entries: readonly Imported[],
  now: number,
): Promise<readonly SealedLines[]> {
  const keys = await space.keys()
  const [g] = keys.generations
  const runs = groupByClient(entries.filter(({ edit }) => !edit.deleted))
  return Promise.all(
    runs.map((run) => {
      const lines = run.map(({ edit }) => edit.line)
      return sealLines(keys, lines, { g, c: run[0].by, b: null, t: now, k: 0 })
    }),
  )
}

function headsOf({ store }: Space, entries: readonly Imported[]): ReadonlyMap<string, EntryState> {
  return store.entryStates(entries.map(({ edit }) => edit.key))
}

function commitStretch(
  space: Space,
  plan: ImportPlan,
  { progress, sealed }: Pick<Stretch, 'progress'> & { readonly sealed: readonly SealedLines[] },
): void {
  const { store, state } = space
  const counts = {
    left: state.left,
    entries: state.entries + plan.entries,
    superseded: state.superseded + plan.superseded,
  }
  const imported = { ...progress, seq: state.seq + plan.placed.length }
  const rows = packChunks(chunksOf(sealed, plan.placed))
  const appends = rows.map((row) => ({ ...row, ...counts, into: null }))
  space.transaction(() => {
    for (const append of appends) store.append(append)
    if (appends.length === 0) store.putCounts(counts)
    store.putEntryStates(plan.states)
    store.dropHeads(plan.gone)
    store.putImport(imported)
  })
  for (const append of appends) advance(space, append)
  space.state = { ...space.state, ...counts, imported }
}

/** The sealed lines, which are in the order of their places. */
function chunksOf(sealed: readonly SealedLines[], placed: readonly ImportedVersion[]): readonly Chunk[] {
  const chunks: Chunk[] = []
  let next = 0
  for (const { keys, origin, drafts, sealed: contents } of sealed) {
    for (const [position, { indexes }] of drafts.entries()) {
      const stretch = placed.slice(next, next + indexes.length)
      const slots = stretch.map(({ seq, previous }, index) => ({ seq, previous, index, lift: 0 }))
      chunks.push(keys.chunk(origin, slots, contents[position] as Uint8Array))
      next += indexes.length
    }
  }
  return chunks
}
