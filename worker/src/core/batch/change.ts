import { type Clock, effectiveTime, isTimestamp, wholeTime } from '../values/clock.ts'
import { allows, type Filter } from '../values/collections.ts'

import { fitsBytes, type Json, misfitIn } from '../values/json.ts'
import { isKey } from '../values/key.ts'
import { MAX_VALUE_BYTES } from '../values/limits.ts'
import { boundedPointer } from '../values/pointer.ts'
import { type KeyOrders, type Texts, textsOf } from '../values/texts.ts'
import { FOREIGN, isVersion, NOTHING, parseVersion } from '../values/version.ts'
import type { Rejection } from './verdict.ts'

/**
 * A change as a client sends it. `base` is the version on which it was made; `null` means that the client believes the
 * key absent. A client that keeps no versions sends the value it believes current instead. A change with neither is a
 * blind write.
 */
export interface Change {
  readonly key: string
  readonly value?: Json | undefined
  readonly deleted?: boolean | undefined
  /** Milliseconds, fractions allowed. The time of arrival if absent. */
  readonly timestamp?: number | undefined
  readonly base?: string | null | undefined
  readonly baseValue?: Json | undefined
  /** The client believes the key deleted or absent, as with `base: null`. */
  readonly baseDeleted?: boolean | undefined
}

/** A change ready for the decision: validated, its time corrected, its base resolved. */
export interface Edit {
  readonly key: string
  readonly deleted: boolean
  readonly value: Json | undefined
  /** The canonical text of the value; empty for a change without a value. */
  readonly text: string
  /**
   * The change as the log stores it, with the keys of its value in their original order. A base that is not a version
   * is left out.
   */
  readonly line: string
  /** The change in canonical form, including invalid fields. The digest of a batch covers this text. */
  readonly sent: string
  /** The client's time, in whole milliseconds. */
  readonly timestamp: number
  /** Whether the client sent exactly this `timestamp`. */
  readonly isTimed: boolean
  /** The effective time, which decides, ms. */
  readonly at: number
  /** The sequence number on which the change was made; `undefined` for a blind write. */
  readonly base: number | undefined
  /** The value on which the change was made, if the client sent a value in place of a version. */
  readonly assumed: Assumed | null
  readonly rejection: Rejection | null
  /** The location of a fault inside `value` or `baseValue`, as a JSON pointer into the change. */
  readonly path: string | undefined
}

/** The value that a client believes current. */
export interface Assumed {
  readonly value: Json
  /** The canonical text of the value. */
  readonly text: string
}

/** The context against which the changes of a batch are read. */
export interface EditContext {
  readonly epoch: string
  readonly clock: Clock
  readonly granted: Filter
}

/** Validates changes and makes them ready for the decision. */
export function toEdits(changes: readonly Change[], context: EditContext): readonly Edit[] {
  const orders: KeyOrders = []
  return changes.map((change) => toEdit(change, context, orders))
}

function toEdit(change: Change, { epoch, clock, granted }: EditContext, orders: KeyOrders): Edit {
  const { key, value, baseValue } = change
  const content = value === undefined ? null : textsOf(value, orders)
  const given = baseValue === undefined ? null : textsOf(baseValue, orders)
  const refusal = refusalOf(change, { content, given, granted })
  const timestamp = wholeTime(change.timestamp, clock)
  const base = parseBase(change, epoch)
  const head = headOf(change)
  const sent = head + tailOf(content?.canonical)
  return {
    key,
    deleted: change.deleted === true,
    value,
    text: content === null ? '' : content.canonical,
    line: storedLine(change, { base, timestamp, head, content }) ?? sent,
    sent,
    timestamp,
    isTimed: timestamp === change.timestamp,
    at: effectiveTime(timestamp, clock),
    base,
    assumed: assumedOf(change, given),
    rejection: refusal === null ? null : refusal.code,
    path: refusal?.path,
  }
}

/** A `baseValue` beside `baseDeleted` has no effect on the decision, but an invalid one still rejects the change. */
function assumedOf({ baseValue, baseDeleted }: Change, given: Texts | null): Assumed | null {
  if (given === null || baseValue === undefined) return null
  return baseDeleted === true && given.isFit ? null : { value: baseValue, text: given.canonical }
}

/** The line for the log; null if it equals the canonical one. */
function storedLine(
  change: Change,
  {
    base,
    timestamp,
    head,
    content,
  }: Pick<Edit, 'base' | 'timestamp'> & { head: string; content: Texts | null },
): string | null {
  const isStray = base === FOREIGN && typeof change.base === 'string' && !isVersion(change.base)
  if (isStray || timestamp !== change.timestamp) {
    const { key, deleted } = change
    return lineOf({ key, timestamp, base: isStray ? STRAY : change.base, deleted }, content?.json)
  }
  return content === null || content.json === content.canonical ? null : head + tailOf(content.json)
}

/**
 * Replaces a base that is not a version in the log. The decision does not use such a base, and its text could be of any
 * length.
 */
const STRAY = ''

/**
 * A change in the form that the log stores. A base that was sent as a value is left out: only the decision needs it.
 */
export function lineOf(change: Omit<Change, 'value'>, json: string | undefined): string {
  return headOf(change) + tailOf(json)
}

/** The part of a line that precedes the value. */
function headOf({ key, timestamp, base, deleted }: Omit<Change, 'value'>): string {
  const known = base === undefined ? 0 : JSON.stringify(base)
  return `[${JSON.stringify(key)},${timestamp ?? ''},${known},${deleted === true ? 1 : 0}`
}

function tailOf(json: string | undefined): string {
  return json === undefined ? ']' : `,${json}]`
}

/** The text that identifies a batch: its changes in canonical form, and whether the batch is atomic. */
export function batchText(edits: readonly Edit[], atomic: boolean): string {
  let text = ''
  for (const { sent, base, assumed } of edits) {
    text += `${text === '' ? '' : ','}${sent}:${base ?? ''}:${assumed === null ? '' : assumed.text}`
  }
  return `${atomic ? 1 : 0}[${text}]`
}

function parseBase({ base, baseValue, baseDeleted }: Change, epoch: string): number | undefined {
  if (base === null || baseDeleted === true) return NOTHING
  if (base !== undefined) return parseVersion(base, epoch)
  return baseValue === undefined ? undefined : FOREIGN
}

/** The reason why a change is rejected, and the location of the fault if it lies inside a value. */
interface Refusal {
  readonly code: Rejection
  readonly path?: string
}

function refusalOf(
  change: Change,
  { content, given, granted }: { content: Texts | null; given: Texts | null; granted: Filter },
): Refusal | null {
  if (!isKey(change.key)) return { code: 'invalid-key' }
  if (!allows(granted, change.key)) return { code: 'forbidden-key' }
  if (change.timestamp !== undefined && !isTimestamp(change.timestamp)) return { code: 'invalid-timestamp' }
  if (content === null && change.deleted !== true) return { code: 'missing-value' }
  if (content?.isFit === false) return misfitOf('value', change.value)
  if (given?.isFit === false) return misfitOf('baseValue', change.baseValue)
  return fitsBytes(content?.canonical ?? '', MAX_VALUE_BYTES) ? null : { code: 'value-too-large' }
}

function misfitOf(field: 'value' | 'baseValue', value: Json | undefined): Refusal | null {
  const misfit = value === undefined ? null : misfitIn(value)
  return misfit && { code: misfit.code, path: boundedPointer([field, ...misfit.path]) }
}
