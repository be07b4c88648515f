import { type Clock, effectiveTime, isTimestamp, wholeTime } from '../values/clock.ts'
import { allows, type Filter } from '../values/collections.ts'

import { fitsBytes, type Json, misfitIn, type Texts, textsOf } from '../values/json.ts'
import { isKey } from '../values/key.ts'
import { MAX_VALUE_BYTES } from '../values/limits.ts'
import { boundedPointer } from '../values/pointer.ts'
import { FOREIGN, isVersion, NOTHING, parseVersion } from '../values/version.ts'
import type { Rejection } from './verdict.ts'

/**
 * A change as a client sends it. `base` is the version it was made on; `null` says: believed absent. A client
 * that keeps no versions names the state instead. With neither it is a blind write.
 */
export interface Change {
  readonly key: string
  readonly value?: Json | undefined
  readonly deleted?: boolean | undefined
  /** Milliseconds, fractions included; without one, the time of arrival. */
  readonly timestamp?: number | undefined
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
  /** The change as the log keeps it, with the keys of its value as they came. A base that is no version is left out. */
  readonly line: string
  /** The change in canonical form, as it came, whatever is wrong with it: what the digest of a batch covers. */
  readonly sent: string
  /** The client's time, in whole milliseconds. */
  readonly timestamp: number
  /** Whether that is what the client sent. */
  readonly isTimed: boolean
  /** The time that decides. */
  readonly at: number
  /** The sequence number it was made on, `undefined` for a blind write. */
  readonly base: number | undefined
  /** The value it was made on, in place of a sequence number. */
  readonly assumed: Assumed | null
  readonly rejection: Rejection | null
  /** The place of a fault inside `value` or `baseValue`: a JSON pointer into the change. */
  readonly path: string | undefined
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

/** Makes changes ready. */
export function toEdits(changes: readonly Change[], context: EditContext): readonly Edit[] {
  const names = new Map<string, string>()
  return changes.map((change) => toEdit(change, context, names))
}

function toEdit(change: Change, { epoch, clock, granted }: EditContext, names: Map<string, string>): Edit {
  const { key, value, timestamp, baseValue } = change
  const content = value === undefined ? null : textsOf(value, names)
  const given = baseValue === undefined ? null : textsOf(baseValue, names)
  const refusal = refusalOf(change, { content, given, granted })
  const time = wholeTime(timestamp, clock)
  return {
    key,
    deleted: change.deleted === true,
    value,
    text: content?.canonical ?? '',
    ...linesOf(change, time, content),
    timestamp: time,
    isTimed: time === timestamp,
    at: effectiveTime(time, clock),
    base: parseBase(change, epoch),
    assumed: assumedOf(change, given),
    rejection: refusal?.code ?? null,
    path: refusal?.path,
  }
}

/** Beside `baseDeleted` a value decides nothing, but it may be what rejects the change. */
function assumedOf({ baseValue, baseDeleted }: Change, given: Texts | null): Assumed | null {
  if (given === null || baseValue === undefined) return null
  return baseDeleted === true && given.isFit ? null : { value: baseValue, text: given.canonical }
}

function linesOf(change: Change, timestamp: number, content: Texts | null): Pick<Edit, 'line' | 'sent'> {
  const sent = lineOf(change, content?.canonical)
  const isStray = typeof change.base === 'string' && !isVersion(change.base)
  if (!isStray && timestamp === change.timestamp && content?.json === content?.canonical)
    return { sent, line: sent }
  const { key, base, deleted } = change
  return { sent, line: lineOf({ key, timestamp, base: isStray ? STRAY : base, deleted }, content?.json) }
}

/** What the log keeps in the place of a base that is no version: the decision needs no other, and any text could be one. */
const STRAY = ''

/** A change in the form that the log keeps. A base that was given as a value is not kept: it has decided, and is done. */
export function lineOf({ key, timestamp, base, deleted }: Change, json: string | undefined): string {
  const known = base === undefined ? 0 : JSON.stringify(base)
  const value = json === undefined ? '' : `,${json}`
  return `[${JSON.stringify(key)},${timestamp ?? ''},${known},${deleted === true ? 1 : 0}${value}]`
}

/** What tells one batch from another: its changes in canonical form, and whether they stand or fall together. */
export function batchText(edits: readonly Edit[], atomic: boolean): string {
  const parts = edits.map(({ sent, base, assumed }) => `${sent}:${base ?? ''}:${assumed?.text ?? ''}`)
  return `${atomic ? 1 : 0}[${parts.join(',')}]`
}

function parseBase({ base, baseValue, baseDeleted }: Change, epoch: string): number | undefined {
  if (base === null || baseDeleted === true) return NOTHING
  if (base !== undefined) return parseVersion(base, epoch)
  return baseValue === undefined ? undefined : FOREIGN
}

/** Why a change is rejected, and where in it, if that is inside a value. */
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
  return misfit && { code: misfit.code, path: boundedPointer([field, ...misfit.place]) }
}
