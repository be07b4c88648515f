import { type Clock, effectiveTime, isTimestamp } from './clock.ts'
import { type Filter, passes } from './cursor.ts'
import { canonicalJson, fitsBytes, type Json } from './json.ts'
import { isKey } from './key.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import { accepted, type Result, refused } from './result.ts'
import type { Rejection } from './verdict.ts'
import { NOTHING, parseVersion } from './version.ts'

/** A change as a client sends it. Without `base` it is a blind write; `null` says: believed absent. */
export interface Change {
  readonly key: string
  readonly value?: Json | undefined
  readonly deleted?: boolean | undefined
  readonly timestamp: number
  readonly base?: string | null | undefined
}

/** A change made ready for the decision: checked, its time corrected, its base resolved. */
export interface Edit {
  readonly key: string
  readonly deleted: boolean
  readonly value: Json | undefined
  /** Canonical text of the value, empty without one. */
  readonly text: string
  /** The change as it came, in canonical form: what the log keeps and the digest of a batch covers. */
  readonly line: string
  /** The client's time, as it came. */
  readonly timestamp: number
  /** The time that decides. */
  readonly at: number
  /** The sequence number it was made on, `undefined` for a blind write. */
  readonly base: number | undefined
  readonly rejection: Rejection | null
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
    const text = change.value === undefined ? '' : canonicalJson(change.value)
    if (typeof text !== 'string') return refused(text)
    edits.push(toEdit(change, text, context))
  }
  return accepted(edits)
}

function toEdit(change: Change, text: string, { epoch, clock, granted }: EditContext): Edit {
  return {
    key: change.key,
    deleted: change.deleted === true,
    value: change.value,
    text,
    line: lineOf(change, text),
    timestamp: change.timestamp,
    at: effectiveTime(change.timestamp, clock),
    base: baseOf(change.base, epoch),
    rejection: rejectionOf(change, text, granted),
  }
}

function lineOf({ key, timestamp, base, deleted }: Change, text: string): string {
  const known = base === undefined ? 0 : JSON.stringify(base)
  const value = text === '' ? '' : `,${text}`
  return `[${JSON.stringify(key)},${timestamp},${known},${deleted === true ? 1 : 0}${value}]`
}

function baseOf(base: string | null | undefined, epoch: string): number | undefined {
  if (base === undefined) return undefined
  return base === null ? NOTHING : parseVersion(base, epoch)
}

function rejectionOf(change: Change, text: string, granted: Filter): Rejection | null {
  if (!isKey(change.key)) return 'invalid-key'
  if (!passes(granted, change.key)) return 'forbidden-key'
  if (!isTimestamp(change.timestamp)) return 'invalid-timestamp'
  if (change.value === undefined && change.deleted !== true) return 'missing-value'
  if (!fitsBytes(text, MAX_VALUE_BYTES)) return 'value-too-large'
  return null
}
