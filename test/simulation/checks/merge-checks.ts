import { type ConflictReport, type Json, sameJson, seqOf } from '../values/wire.ts'
import { type Account, type Decision, describe } from './account.ts'
import type { Stored } from './journal.ts'
import { isLater } from './order.ts'

type Fields = { readonly [key: string]: Json }

/** A merge holds what both sides brought: a field of either is in it, or was changed by the other, or clashed and is told. */
export function checkMerged(account: Account, decision: Decision): void {
  const { verdicts, journal, listed, policies } = account
  const { change, result, conflict } = decision
  const made = journal.versions.get(seqOf(result.version ?? ''))
  const stood = made !== undefined && journal.hasStood(made) && made.key === change.key
  verdicts.expect(
    stood && (result.value === undefined || sameJson(made.value, result.value)),
    'IN2',
    () => `${describe(change)} was merged into ${describe(made)}`,
  )
  verdicts.expect(
    [...policies.values()].some((held) => held.has('merge')),
    'IN6',
    () => `nobody asked for a merge of ${describe(change)}`,
  )
  // Who may not read is not told which fields clashed.
  const told = conflict === undefined ? undefined : (listed.get(conflict.id) ?? conflict)
  if (made === undefined || told?.winner.omitted) return
  const theirs = metBy(decision, made, journal.versions)
  checkFields({ verdicts, journal }, decision, { made, theirs })
  if (told !== undefined && theirs !== undefined) checkClashes(account, { decision, made, theirs, told })
}

/** What stood, and what was made of it and a change. */
interface Merge {
  readonly made: Stored
  readonly theirs: Stored | undefined
}

function checkFields(
  { verdicts, journal }: Pick<Account, 'verdicts' | 'journal'>,
  { change, by }: Decision,
  { made, theirs }: Merge,
): void {
  const known = [...journal.versions.values()].filter(({ key, seq }) => key === change.key && seq < made.seq)
  const isNamed = change.baseValue !== undefined && theirs?.by !== by
  const bases = isNamed ? [change.baseValue] : known.map(({ value }) => value)
  for (const [name, field] of Object.entries(fieldsOf(made.value))) {
    const from = [change.value, theirs?.value].some((side) => sameJson(fieldsOf(side)[name], field))
    verdicts.expect(from, 'IN2', () => `a merge invented ${name} in ${describe(made)}`)
  }
  for (const [side, other] of [
    [change.value, theirs?.value],
    [theirs?.value, change.value],
  ]) {
    for (const [name, field] of Object.entries(fieldsOf(side))) {
      const kept = sameJson(fieldsOf(made.value)[name], field) || made.paths.includes(`/${name}`)
      const old = bases.some((base) => sameJson(fieldsOf(base)[name], field))
      const changed = !sameJson(fieldsOf(other)[name], field)
      const loss = () =>
        `a merge of ${describe(change)} with ${describe(theirs)} lost ${name}: ${describe(made)}`
      verdicts.expect(kept || (old && changed), 'IN6', loss)
    }
  }
}

/** The later side takes what both changed. */
function checkClashes(
  account: Account,
  { decision, made, theirs, told }: Merge & { decision: Decision; theirs: Stored; told: ConflictReport },
): void {
  const { verdicts, journal } = account
  // A retry without a number is answered by the time that it had when it first came.
  const before = journal.versions.get(made.previous)
  const first = isSent(before, decision) ? before : decision
  const isMine = isLater(account, theirs, first)
  if (isMine === undefined) return
  const later = isMine ? decision.change.value : theirs.value
  for (const path of told.paths) {
    const name = path.slice(1)
    const won = sameJson(fieldsOf(made.value)[name], fieldsOf(later)[name])
    verdicts.expect(won, 'IN6', () => `the earlier side of ${path} won in ${describe(made)}`)
  }
}

/** The version that stood when a change came: before what was sent, where the log holds that by itself. */
function metBy(decision: Decision, made: Stored, versions: ReadonlyMap<number, Stored>): Stored | undefined {
  const before = versions.get(made.previous)
  if (made.by !== decision.by) return made
  if (isSent(made, decision)) return before
  return isSent(before, decision) ? versions.get(before.previous) : made
}

/** Whether a version is what the client of a decision sent. */
function isSent(version: Stored | undefined, { change, by }: Decision): version is Stored {
  return version?.by === by && sameJson(version.value, change.value)
}

function fieldsOf(value: Json | undefined): Fields {
  return value === null || typeof value !== 'object' || Array.isArray(value) ? {} : (value as Fields)
}
