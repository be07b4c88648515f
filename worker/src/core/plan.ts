import type { Edit } from './change.ts'
import { canonicalJson } from './json.ts'
import type { Conflict, Version } from './outcome.ts'
import { type Head, isLater, rootAfter, stanceOf } from './settle.ts'
import type { Verdict } from './verdict.ts'
import { NOTHING } from './version.ts'

/** What a batch is decided against: one moment of a space, read without waiting. */
export interface View {
  /** The last sequence number given out. */
  readonly seq: number
  head(key: string): Head | undefined
  /** The content of a version, if it has been opened: it never changes, so it may be opened long before. */
  version(seq: number): Version | undefined
}

/** A change that goes into the log. */
export interface Stored {
  readonly seq: number
  /** The version it replaced, or lost to. */
  readonly previous: number
  /** Its place among the batch's edits. */
  readonly index: number
}

/** Everything a batch does, as data. Only to be carried out when nothing is `missing`. */
export interface Plan {
  readonly seq: number
  readonly verdicts: readonly Verdict[]
  readonly stored: readonly Stored[]
  readonly heads: ReadonlyMap<string, Head>
  readonly conflicts: readonly Conflict[]
  /** By how many the live entries grow or shrink. */
  readonly entries: number
  /** The versions that must be opened before the batch can be decided. */
  readonly missing: readonly number[]
  /** The content of what the batch stores. */
  readonly versions: ReadonlyMap<number, Version>
}

/** A plan in the making: later changes of a batch see the earlier ones. */
interface Draft {
  seq: number
  entries: number
  readonly client: string
  readonly view: View
  readonly verdicts: Verdict[]
  readonly stored: Stored[]
  readonly heads: Map<string, Head>
  readonly conflicts: Conflict[]
  readonly missing: number[]
  readonly versions: Map<number, Version>
}

/** One edit on its way through the decision, with what it meets. */
interface Step {
  readonly edit: Edit
  readonly index: number
  readonly head: Head | undefined
}

/** Decides a batch, change by change in its order, under the policy `lww`. Pure: nothing is written. */
export function planBatch(edits: readonly Edit[], client: string, view: View): Plan {
  const draft: Draft = {
    seq: view.seq,
    entries: 0,
    client,
    view,
    verdicts: [],
    stored: [],
    heads: new Map(),
    conflicts: [],
    missing: [],
    versions: new Map(),
  }
  for (const [index, edit] of edits.entries()) {
    const head = draft.heads.get(edit.key) ?? view.head(edit.key)
    draft.verdicts.push(decide(draft, { edit, index, head }))
  }
  return draft
}

function decide(draft: Draft, step: Step): Verdict {
  const { edit, head } = step
  if (edit.rejection !== null) return { status: 'rejected', code: edit.rejection }
  switch (stanceOf(edit, draft.client, head)) {
    case 'noop':
      return { status: 'noop', seq: head?.seq ?? NOTHING }
    case 'apply':
      return apply(draft, step)
    case 'resurrect':
      return overrule(draft, step)
    case 'rewrite':
      return sameContent(draft, step) ?? apply(draft, step)
    case 'compete':
      return sameContent(draft, step) ?? compete(draft, step)
  }
}

function sameContent(draft: Draft, { edit, head }: Step): Verdict | null {
  if (head === undefined) return null
  const version = draft.versions.get(head.seq) ?? draft.view.version(head.seq)
  if (version === undefined) draft.missing.push(head.seq)
  if (version?.value === undefined || version.deleted || edit.deleted) return null
  return canonicalJson(version.value) === edit.text ? { status: 'noop', seq: head.seq } : null
}

function compete(draft: Draft, step: Step): Verdict {
  const { edit, head } = step
  if (head === undefined) return apply(draft, step)
  if (!isLater(edit, draft.client, head)) return lose(draft, step)
  const blindOverOwn = edit.base === undefined && head.by === draft.client
  return blindOverOwn ? apply(draft, step) : overrule(draft, step)
}

function apply(draft: Draft, step: Step): Verdict {
  const { edit, head } = step
  const seq = store(draft, step)
  const root = rootAfter(edit, draft.client, head)
  draft.heads.set(edit.key, { seq, root, at: edit.at, by: draft.client, deleted: edit.deleted })
  draft.entries += Number(!edit.deleted) - Number(head !== undefined && !head.deleted)
  return { status: 'applied', seq, conflict: false }
}

function overrule(draft: Draft, step: Step): Verdict {
  apply(draft, step)
  const loser = step.head?.seq ?? NOTHING
  draft.conflicts.push({ id: draft.seq, policy: 'lww', resolution: 'kept-client', winner: draft.seq, loser })
  return { status: 'applied', seq: draft.seq, conflict: true }
}

function lose(draft: Draft, step: Step): Verdict {
  const seq = store(draft, step)
  const winner = step.head?.seq ?? NOTHING
  draft.conflicts.push({ id: seq, policy: 'lww', resolution: 'kept-server', winner, loser: seq })
  return { status: 'superseded', seq, winner }
}

function store(draft: Draft, { edit, index, head }: Step): number {
  draft.seq += 1
  const { key, at, deleted, value } = edit
  draft.versions.set(draft.seq, { seq: draft.seq, key, by: draft.client, at, deleted, value })
  draft.stored.push({ seq: draft.seq, previous: head?.seq ?? NOTHING, index })
  return draft.seq
}
