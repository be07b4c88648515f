import { type Account, type Decision, describe, isBefore } from './decision-checks.ts'
import type { Stored } from './journal.ts'
import { type Json, sameJson, seqOf } from './wire.ts'

type Fields = { readonly [key: string]: Json }

/** A merge holds what both sides brought: a field of either is in it, or was changed by the other, or clashed and is told. */
export function checkMerged({ verdicts, journal, listed, policies }: Account, decision: Decision): void {
  const { change, result, conflict, by } = decision
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
  if (made === undefined) return
  const theirs = metBy(decision, made, journal.versions)
  // Who may not read is not told which fields clashed.
  const told = conflict === undefined ? undefined : (listed.get(conflict.id) ?? conflict)
  if (told?.winner.omitted) return
  const paths = new Set([...made.paths, ...(told?.paths ?? [])])
  const known = [...journal.versions.values()]
    .filter(({ key, seq }) => key === change.key && seq < made.seq)
    .map(({ value }) => value)
  const bases = change.baseValue === undefined || theirs?.by === by ? known : [change.baseValue]
  for (const [name, field] of Object.entries(fieldsOf(made.value))) {
    const from = [change.value, theirs?.value].some((side) => sameJson(fieldsOf(side)[name], field))
    verdicts.expect(from, 'IN2', () => `a merge invented ${name} in ${describe(made)}`)
  }
  for (const [side, other] of [
    [change.value, theirs?.value],
    [theirs?.value, change.value],
  ]) {
    for (const [name, field] of Object.entries(fieldsOf(side))) {
      const kept = sameJson(fieldsOf(made.value)[name], field) || paths.has(`/${name}`)
      const old =
        bases.some((base) => sameJson(fieldsOf(base)[name], field)) && !sameJson(fieldsOf(other)[name], field)
      verdicts.expect(
        kept || old,
        'IN6',
        () =>
          `a merge of ${describe(change)} by ${by} with ${describe(theirs)} lost ${name}: ${describe(made)}`,
      )
    }
  }
  if (theirs === undefined) return
  const later = isBefore(theirs, decision) ? change.value : theirs.value
  for (const path of paths) {
    const name = path.slice(1)
    verdicts.expect(
      sameJson(fieldsOf(made.value)[name], fieldsOf(later)[name]),
      'IN6',
      () => `the earlier side of ${path} won in ${describe(made)}`,
    )
  }
}

/** The version that stood when a change came: before what was sent, where the log holds that by itself. */
function metBy(
  { change, by }: Decision,
  made: Stored,
  versions: ReadonlyMap<number, Stored>,
): Stored | undefined {
  const before = versions.get(made.previous)
  const isSent = (version: Stored | undefined) => version?.by === by && sameJson(version.value, change.value)
  if (made.by !== by) return made
  if (isSent(made)) return before
  return isSent(before) ? versions.get(before?.previous ?? 0) : made
}

function fieldsOf(value: Json | undefined): Fields {
  return value === null || typeof value !== 'object' || Array.isArray(value) ? {} : (value as Fields)
}
