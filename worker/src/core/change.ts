import { type Clock, effectiveTime, isTimestamp } from './clock.ts'
import { type Filter, passes } from './cursor.ts'
import { canonicalJson, fitsBytes, type Json, type Unfit } from './json.ts'
import { isKey } from './key.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import { accepted, type Result, refused } from './result.ts'
import type { Rejection } from './verdict.ts'
import { FOREIGN, isVersion, NOTHING, parseVersion } from './version.ts'

/**
 * A change as a client sends it. `base` is the version it was made on; `null` says: believed absent. A client
 * that keeps no versions names the state instead. With neither it is a blind write.
 */
export interface Change {
  readonly key: string
  readonly value?: Json | undefined
  readonly deleted?: boolean | undefined
  readonly timestamp: number
  readonly base?: string | null | undefined
  readonly baseValue?: Json | undefined
  /** Believed deleted or absent, as `base: null`. */
  readonly baseDeleted?: boolean | undefined
}

/** A change made ready for the decision: checked, its time corrected, its base resolved. */
export interface Edit {
  readonly key: string
  readonly deleted: boolean
  readonly value: Json | undefined
  /** Canonical text of the value, empty without one. */
  readonly text: string
  /** The change in canonical form, as the log keeps it. A base that is no version is left out. */
  readonly line: string
  /** A base that is no version, empty without one: the digest of the batch covers it, and nothing keeps it. */
  readonly strayBase: string
  /** The client's time, as it came. */
  readonly timestamp: number
  /** The time that decides. */
  readonly at: number
  /** The sequence number it was made on, `undefined` for a blind write. */
  readonly base: number | undefined
  /** The value it was made on, in place of a sequence number. */
  readonly assumed: Assumed | null
  readonly rejection: Rejection | null
}

/** A state that a client believes to stand. */
export interface Assumed {
  readonly value: Json
  /** Its canonical text. */
  readonly text: string
}

/** What a batch of changes is read against. */
export interface EditContext {
  readonly epoch: string
  readonly clock: Clock
  readonly granted: Filter
}

/** Makes changes ready. A value without a canonical text refuses the whole request. */
export function toEdits(changes: readonly Change[], context: EditContext): Result<readonly Edit[]> {
  const edits: Edit[] = []
  for (const change of changes) {
    const text = textOf(change.value)
    if (typeof text !== 'string') return refused(text)
    const assumed = textOf(change.baseValue)
    if (typeof assumed !== 'string') return refused(assumed)
    edits.push(toEdit(change, { text, assumed }, context))
  }
  return accepted(edits)
}

function textOf(value: Json | undefined): string | Unfit {
  return value === undefined ? '' : canonicalJson(value)
}

function toEdit(
  change: Change,
  { text, assumed }: { text: string; assumed: string },
  { epoch, clock, granted }: EditContext,
): Edit {
  const { key, value, timestamp, baseValue } = change
  return {
    key,
    deleted: change.deleted === true,
    value,
    text,
    line: lineOf(change, text),
    strayBase: isStray(change.base) ? JSON.stringify(change.base) : '',
    timestamp,
    at: effectiveTime(timestamp, clock),
    base: baseOf(change, epoch),
    assumed:
      baseValue === undefined || change.baseDeleted === true ? null : { value: baseValue, text: assumed },
    rejection: rejectionOf(change, text, granted),
  }
}

/**
 * A change in the form that the log keeps. Only a base that has the form of a version is kept: the decision needs no
 * other, and any text could be one.
 */
export function lineOf({ key, timestamp, base, deleted }: Change, text: string): string {
  const known = base === undefined ? 0 : isStray(base) ? FOREIGN : JSON.stringify(base)
  const value = text === '' ? '' : `,${text}`
  return `[${JSON.stringify(key)},${timestamp},${known},${deleted === true ? 1 : 0}${value}]`
}

function isStray(base: Change['base']): base is string {
  return typeof base === 'string' && !isVersion(base)
}

/** What tells one batch from another: its changes in canonical form, and whether they stand or fall together. */
export function batchText(edits: readonly Edit[], atomic: boolean): string {
  const parts = edits.map(
    ({ line, base, assumed, strayBase }) => `${line}:${base ?? ''}:${assumed?.text ?? ''}${strayBase}`,
  )
  return `${atomic ? 1 : 0}[${parts.join(',')}]`
}

function baseOf({ base, baseValue, baseDeleted }: Change, epoch: string): number | undefined {
  if (base === null || baseDeleted === true) return NOTHING
  if (base !== undefined) return parseVersion(base, epoch)
  return baseValue === undefined ? undefined : FOREIGN
}

function rejectionOf(change: Change, text: string, granted: Filter): Rejection | null {
  if (!isKey(change.key)) return 'invalid-key'
  if (!passes(granted, change.key)) return 'forbidden-key'
  if (!isTimestamp(change.timestamp)) return 'invalid-timestamp'
  if (change.value === undefined && change.deleted !== true) return 'missing-value'
  if (!fitsBytes(text, MAX_VALUE_BYTES)) return 'value-too-large'
  return null
}
