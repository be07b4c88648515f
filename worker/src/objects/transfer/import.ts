import type { Session } from '../../core/access/session.ts'
import { type Edit, type EditContext, toEdits } from '../../core/batch/change.ts'
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
import { parseHeader, parseImportLine } from '../../schema/request/import.ts'
import { checkCredential, checkUnexpired, checkWhole } from '../space/admission.ts'
import { stateWith } from '../space/draft.ts'
import { knownVersions } from '../space/known-versions.ts'
import { checkQuota, usedBy } from '../space/quota.ts'
import { chunksOf, type SealedLines, sealLines } from '../space/sealed-lines.ts'
import { beginTransfer } from '../space/serve.ts'
import type { Space } from '../space/space.ts'
import { arrangeUpkeep } from '../upkeep/upkeep.ts'
import { lineReader } from './line-reader.ts'

/** The body of an import, the number of its first line in the export, and when the request arrived, ms. */
export interface ImportRequest {
  readonly body: ReadableStream<Uint8Array>
  readonly line: number
  readonly now: number
}

/** Lines of an export, the number of the first line, and when the request arrived, ms. */
interface LinesInput {
  readonly texts: readonly string[]
  readonly first: number
  readonly now: number
  readonly clock: () => number
}

/** The new entries of some lines, and the progress of the import after them. */
interface ParsedLines {
  readonly entries: readonly Imported[]
  readonly progress: Progress
  /** The fault of the line after them, if it is invalid. */
  readonly fault: Fault | null
}

/**
 * `POST /api/import`: fills an empty space with an export. Stores a few hundred lines in each transaction, together with
 * the progress. An interrupted import is sent again: lines that are stored are skipped. The clock is read for every few
 * lines, because the client decides how long an import takes.
 */
export async function importSpace(
  space: Space,
  session: Session,
  { body, line, now, clock }: ImportRequest & { readonly clock: () => number },
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

async function storeLines(space: Space, session: Session, lines: LinesInput): Promise<Result<true, Fault>> {
  const { imported } = space.state
  const parsed = parseLines(space, lines)
  if (!parsed.ok) return parsed
  const { progress, fault } = parsed.value
  // All lines were stored before, and their entries may have been edited since. The progress must not be stored again.
  if (progress === imported) return fault === null ? accepted(true) : refused(fault)
  const entries = lastOfEach(parsed.value.entries)
  const sealed = await sealRuns(space, entries, lines.now)
  // Nothing is awaited from here to the commit.
  const allowed = authorizeImport(space, session, lines.clock())
  if (!allowed.ok) return allowed
  if (space.state.imported !== imported) return importGap(space.state.imported)
  if (imported === null && space.state.seq > 0) return refused({ code: 'not-empty' })
  const states = space.store.entryStates(entries.map(({ edit }) => edit.key))
  const plan = planImport(entries, space.state.seq, states)
  const room = checkQuota({ config: space.config, used: usedBy(space) }, session, {
    entries: plan.entries,
    content: plan.versions.length > 0,
    traces: false,
  })
  if (!room.ok) return room
  commitLines(space, plan, { progress, sealed })
  return fault === null ? accepted(true) : refused(fault)
}

function parseLines(space: Space, { texts, first, now }: LinesInput): Result<ParsedLines, Fault> {
  const known = first === 1 ? beginImport(space, texts[0] ?? '') : resumeImport(space, first)
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

/** Finds the import that a header belongs to: the stored one, or a new one if the space is empty. */
function beginImport({ state: { imported, seq } }: Space, text: string): Result<Progress, Fault> {
  const header = parseHeader(text)
  if (!header.ok) return header
  const source = JSON.stringify(header.value)
  if (imported?.source === source) return accepted(imported)
  if (seq > 0) return refused({ code: 'not-empty' })
  return accepted({ source, line: 1, finished: false })
}

function resumeImport({ state: { imported } }: Space, first: number): Result<Progress, Fault> {
  return imported === null || first > imported.line + 1 ? importGap(imported) : accepted(imported)
}

function importGap(imported: Progress | null): Result<never, Fault> {
  return refused({ code: 'import-gap', expected: (imported?.line ?? 0) + 1 })
}

/** Reads the entry of a line, or `end`, whose count must match the number of lines before it. */
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
  const path = edit.path === undefined ? '' : ` at ${edit.path}`
  return edit.rejection === null ? accepted({ edit, by }) : invalid(line, `${edit.rejection}${path}`)
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

function commitLines(
  space: Space,
  plan: ImportPlan,
  { progress, sealed }: Pick<ParsedLines, 'progress'> & { readonly sealed: readonly SealedLines[] },
): void {
  const { store, state } = space
  const counts = {
    left: state.left,
    entries: state.entries + plan.entries,
    superseded: state.superseded + plan.superseded,
  }
  const imported = { ...progress, seq: state.seq + plan.versions.length }
  const rows = packChunks(importedChunks(sealed, plan.versions))
  const appends = rows.map((row) => ({ ...row, ...counts, into: null, pending: null }))
  space.transaction(() => {
    for (const append of appends) store.append(append)
    if (appends.length === 0) store.putCounts(counts)
    store.putEntryStates(plan.states)
    store.dropEntries(plan.gone)
    store.putImport(imported)
  })
  space.known = knownVersions()
  space.state = { ...stateWith(space.state, appends), ...counts, imported }
}

/** Makes chunks of the sealed lines, which are in the order of their sequence numbers. */
function importedChunks(
  sealed: readonly SealedLines[],
  versions: readonly ImportedVersion[],
): readonly Chunk[] {
  let next = 0
  return sealed.flatMap((lines) => {
    const first = next
    next += lines.texts.reduce((count, { indexes }) => count + indexes.length, 0)
    const stored = versions.slice(first, next).map((version, index) => ({ ...version, index, lift: 0 }))
    return chunksOf(lines, stored)
  })
}
