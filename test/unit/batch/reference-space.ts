import type { Policy } from '../../../worker/src/core/batch/policy.ts'
/** What the model of the decision knows of one key: its versions, where it stands, and whose run ends there. */

import type { Json } from '../../../worker/src/core/values/json.ts'

/** What a write was made on: nothing named, believed absent, a version, a text that is none, or a value. */
export type Base = 'blind' | null | number | 'unknown' | { readonly value: Json }

export interface Write {
  readonly base: Base
  readonly deleted: boolean
  readonly value: Json | undefined
  /** The time that the client's clock gave it, corrected. */
  readonly at: number
}

export interface Version extends Omit<Write, 'base'> {
  readonly seq: number
  readonly previous: number
  readonly by: string
  /** The time before the space raised it. */
  readonly given: number
  /** Where the run begins for which this version was written as the first, or to which it took it back. */
  readonly begins: number | null
  readonly hasNull: boolean
  /** Of a merge: what its client sent, and the version of another client that is inside. */
  readonly merge: { readonly sent: number; readonly other: number; readonly paths: readonly string[] } | null
}

export interface Conflict {
  readonly policy: Policy
  readonly resolution: 'kept-server' | 'kept-client' | 'merged' | 'open'
  readonly winner: number
  readonly loser: number
  readonly paths: readonly string[]
}

export interface Outcome {
  readonly status: 'applied' | 'noop' | 'merged' | 'superseded' | 'conflict'
  /** Where the key stands; 0 where it is gone. */
  readonly version: number
  readonly conflict: Conflict | null
}

export const GONE = 0
export const UNKNOWN = -1

export class ReferenceSpace {
  last = 0
  head: Version | null = null
  readonly versions = new Map<number, Version>()
  readonly policy: Policy
  readonly now: number

  constructor(policy: Policy, now: number) {
    this.policy = policy
    this.now = now
  }

  /** The key as it is before a batch, to which other batches can be pushed too. */
  fork(): ReferenceSpace {
    const copy = new ReferenceSpace(this.policy, this.now)
    copy.last = this.last
    copy.head = this.head
    for (const [seq, version] of this.versions) copy.versions.set(seq, version)
    return copy
  }

  holds(seq: number, value: Json | undefined): boolean {
    const version = this.versions.get(seq)
    return version !== undefined && !version.deleted && same(version.value, value)
  }

  /** SY5: the run that ends in a head: what it began on, whether null is of it, and its versions, the newest first. */
  run(head: Version): {
    readonly began: number
    readonly hasNull: boolean
    readonly written: readonly number[]
  } {
    const written: Version[] = []
    for (let at: Version | undefined = head; at?.by === head.by; at = this.versions.get(at.previous)) {
      written.push(at)
      // PO6: a write that named a merged version began a run.
      if (at.begins !== null && this.versions.get(at.begins)?.merge && at.begins === at.previous) break
    }
    const own = new Set(written.map(({ seq }) => seq))
    const first = written.filter(({ previous }) => !own.has(previous))
    const begins = written.map(({ begins }) => begins ?? Number.POSITIVE_INFINITY)
    const began = Math.min(...begins)
    const hasNull =
      began <= GONE || first.some(({ hasNull }) => hasNull) || written.some(({ deleted }) => deleted)
    const listed = written.filter(({ seq }) => seq !== head.seq || head.merge === null)
    return { began, hasNull, written: listed.filter(({ seq }) => seq > began).map(({ seq }) => seq) }
  }

  store(version: Omit<Version, 'seq'>): number {
    this.last += 1
    this.versions.set(this.last, { ...version, seq: this.last })
    return this.last
  }

  version(seq: number): Version {
    const version = this.versions.get(seq)
    if (version === undefined) throw new Error(`no version ${seq}`)
    return version
  }
}

/** Values of the table hold their fields in one order. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const fields = value as { readonly [key: string]: Json }
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, sorted(fields[key]) as Json]),
  )
}
