import type { Policy } from '../../../worker/src/core/batch/policy.ts'
/** Decides as docs/spec.md says, for one key. It follows the text of the rules and not the product, slowly. */

import type { Json } from '../../../worker/src/core/values/json.ts'
import { mergeByRules } from './merge-model.ts'
import {
  GONE,
  type Outcome,
  type ReferenceSpace,
  same,
  UNKNOWN,
  type Version,
  type Write,
} from './reference-space.ts'

/** Decides a batch, change by change (SY12), and carries it out. */
export function decideBatch(
  space: ReferenceSpace,
  writes: readonly Write[],
  way: Pick<Coming, 'client' | 'numbered' | 'reads'>,
): readonly Outcome[] {
  const before = space.last
  return writes.map((write) => {
    const inBatch = space.head !== null && space.head.seq > before
    return new Decision(space, { ...way, write, inBatch }).outcome()
  })
}

interface Coming {
  readonly client: string
  readonly write: Write
  /** Whether an earlier change of the batch made the current version. */
  readonly inBatch: boolean
  readonly numbered: boolean
  /** Whether its token lets it read. */
  readonly reads: boolean
}

class Decision {
  readonly space: ReferenceSpace
  readonly coming: Coming

  constructor(space: ReferenceSpace, coming: Coming) {
    this.space = space
    this.coming = coming
  }

  outcome(): Outcome {
    const { head } = this.space
    const { write, client, inBatch } = this.coming
    // SY8
    if (write.deleted && (head === null || head.deleted)) return this.noop()
    if (head === null) return this.onGone()
    const base = this.baseOf(head)
    // SY1
    if (!inBatch && base === head.seq) return this.apply(null)
    // SY9
    if (!inBatch && base === null && head.deleted)
      return (head.by === client ? this.retry(head) : null) ?? this.apply(null)
    // SY7
    if (!write.deleted && this.mayCompare(head) && this.space.holds(head.seq, write.value)) return this.noop()
    const isOwn = head.by === client
    // SY5, SY12
    if (isOwn && (inBatch || this.isInRun(head, base))) return this.retry(head) ?? this.inRun(head)
    if (base === 'blind') return isOwn ? (this.retry(head) ?? this.blindOverOwn(head)) : this.byClock(head)
    return this.concurrent(head, base)
  }

  onGone(): Outcome {
    const { base } = this.coming.write
    const { policy } = this.space
    // SY1, SY6
    if (base === null || base === 'blind') return this.apply(null)
    // SY10, PO9
    if (policy === 'server-wins') return this.lose(policy)
    if (policy === 'manual') return this.hold()
    return this.apply(policy === 'merge' ? 'lww' : policy)
  }

  /** A base as the version that it names, null, or blind. */
  baseOf(head: Version): number | null | 'blind' {
    const { base } = this.coming.write
    if (base === 'blind' || base === null) return base
    // VE1
    if (base === 'unknown') return UNKNOWN
    if (typeof base === 'number') return base > this.space.last ? UNKNOWN : base
    // BV1
    if (!this.coming.inBatch && this.mayCompare(head) && this.space.holds(head.seq, base.value))
      return head.seq
    if (head.by !== this.coming.client) return UNKNOWN
    const { began, written } = this.space.run(head)
    const beginning = this.space.versions.get(began)
    const seen = this.coming.reads || beginning?.by === this.coming.client ? [began] : []
    return [...seen, ...written.slice(0, 16)].find((seq) => this.space.holds(seq, base.value)) ?? UNKNOWN
  }

  /** AU7 */
  mayCompare(head: Version): boolean {
    return this.coming.reads || (head.by === this.coming.client && head.merge === null)
  }

  isInRun(head: Version, base: number | null | 'blind'): boolean {
    if (base === 'blind') return false
    const { began, hasNull } = this.space.run(head)
    return base === null ? hasNull : base >= began
  }

  /** BA6 */
  retry(head: Version): Outcome | null {
    const { write, numbered, inBatch } = this.coming
    if (numbered || inBatch) return null
    for (const seq of this.space.run(head).written.slice(0, 16)) {
      const { given, deleted, value } = this.space.version(seq)
      if (given !== write.at || deleted !== write.deleted || !same(value, write.value)) continue
      const { merge } = head
      return merge?.sent === seq
        ? this.merged(head.seq, merge.paths.length > 0 ? 'noted' : null)
        : this.noop()
    }
    return null
  }

  /** SY1, PO6 */
  inRun(head: Version): Outcome {
    if (head.merge === null) return this.apply(null)
    return this.mergeOnto(head, this.space.version(head.merge.sent).value) ?? this.byClock(head)
  }

  /** SY6, PO8 */
  blindOverOwn(head: Version): Outcome {
    const { at } = this.coming.write
    if (head.merge !== null) return at < head.at ? this.lose('lww') : this.byClock(head)
    return at >= head.given ? this.apply(null) : this.lose('lww')
  }

  concurrent(head: Version, base: number | null): Outcome {
    const { policy } = this.space
    switch (policy) {
      case 'lww':
        return this.byClock(head)
      case 'server-wins':
        return this.lose(policy)
      case 'client-wins':
        return this.apply(policy)
      case 'manual':
        return this.hold()
      case 'merge':
        return this.mergeConcurrent(head, base) ?? this.byClock(head)
    }
  }

  /** PO5, BV2 */
  mergeConcurrent(head: Version, base: number | null): Outcome | null {
    const named = this.coming.write.base
    if (typeof named === 'object' && named !== null) return this.mergeOnto(head, named.value)
    if (base === null) return this.mergeOnto(head, undefined)
    const version = this.space.versions.get(base)
    return version === undefined ? null : this.mergeOnto(head, version.deleted ? undefined : version.value)
  }

  /** PO3, PO4 */
  mergeOnto(head: Version, base: Json | undefined): Outcome | null {
    const { write, reads } = this.coming
    // AU7
    if (!reads) return null
    if (write.deleted || head.deleted || write.value === undefined || head.value === undefined) return null
    const isLater = this.isLater(head)
    const result = mergeByRules({ base, edit: write.value, head: head.value }, isLater)
    if (result === null) return null
    const { value, paths } = result
    if (same(value, head.value))
      return paths.length === 0 ? this.merged(head.seq, null) : this.lose('merge', paths)
    const at = Math.max(write.at, head.at)
    const run = this.beginning()
    if (same(value, write.value)) {
      const seq = this.space.store({ ...this.written(), at, ...run })
      this.space.head = this.space.version(seq)
      return this.merged(seq, paths.length === 0 ? null : { paths, loser: isLater ? head.seq : seq })
    }
    const sent = this.space.store({ ...this.written(), ...run })
    const isOwn = head.by === this.coming.client && head.merge !== null
    const merge = { sent, other: isOwn ? (head.merge?.other ?? GONE) : head.seq, paths }
    const seq = this.space.store({ ...this.written(), value, at, given: at, previous: sent, ...run, merge })
    this.space.head = this.space.version(seq)
    return this.merged(seq, paths.length === 0 ? null : { paths, loser: isLater ? head.seq : sent })
  }

  /** SY4. In its own merge a client meets the other client's version (PO6). */
  isLater(head: Version): boolean {
    const { client, write } = this.coming
    const met = head.by === client && head.merge !== null ? this.space.version(head.merge.other) : head
    return write.at > met.at || (write.at === met.at && client > met.by)
  }

  /** SY2, SY3 */
  byClock(head: Version): Outcome {
    return this.isLater(head) ? this.apply('lww') : this.lose('lww')
  }

  /** Makes the write current, with a policy as the winner of a conflict (SY3). CL4 raises its time. */
  apply(policy: Policy | null): Outcome {
    const { head, now } = this.space
    const { at } = this.coming.write
    const raised = head === null || at >= head.at ? at : Math.max(head.at, Math.min(head.at + 1, now))
    const seq = this.space.store({ ...this.written(), at: raised, ...this.beginning() })
    this.space.head = this.space.version(seq)
    const conflict = { resolution: 'kept-client', winner: seq, loser: head?.seq ?? GONE, paths: [] } as const
    return { status: 'applied', version: seq, conflict: policy && { policy, ...conflict } }
  }

  /** The root of the run that the write begins, or to which a concurrent winner extends it (SY5). Null within a run. */
  beginning(): Pick<Version, 'begins' | 'hasNull'> {
    const { head } = this.space
    const { write, client, inBatch } = this.coming
    const stands = head?.seq ?? GONE
    const base = head === null ? this.onNothing() : this.baseOf(head)
    const hasNull = head === null || head.deleted || write.deleted || base === null
    const isBegun = head?.by === client && !(base === head.seq && head.merge !== null)
    if (isBegun && (inBatch || base === 'blind' || this.isInRun(head, base))) return { begins: null, hasNull }
    if (base === 'blind' || (base === null && head?.deleted)) return { begins: stands, hasNull }
    return { begins: base ?? GONE, hasNull }
  }

  onNothing(): number | null | 'blind' {
    const { base } = this.coming.write
    if (base === null || base === 'blind') return base
    return typeof base === 'number' && base <= this.space.last ? base : UNKNOWN
  }

  lose(policy: Policy, paths: readonly string[] = []): Outcome {
    const winner = this.space.head?.seq ?? GONE
    const loser = this.space.store(this.written())
    return {
      status: 'superseded',
      version: winner,
      conflict: { policy, resolution: 'kept-server', winner, loser, paths },
    }
  }

  /** PO7 */
  hold(): Outcome {
    const winner = this.space.head?.seq ?? GONE
    const conflict = {
      policy: 'manual',
      resolution: 'open',
      winner,
      loser: this.space.store(this.written()),
      paths: [],
    } as const
    return { status: 'conflict', version: winner, conflict }
  }

  noop(): Outcome {
    return { status: 'noop', version: this.space.head?.seq ?? GONE, conflict: null }
  }

  merged(seq: number, clash: { paths: readonly string[]; loser: number } | 'noted' | null): Outcome {
    const conflict =
      clash === null || clash === 'noted'
        ? null
        : ({ ...clash, policy: 'merge', resolution: 'merged', winner: seq } as const)
    return { status: 'merged', version: seq, conflict }
  }

  written(): Omit<Version, 'seq'> {
    const { client, write } = this.coming
    const { at, deleted, value } = write
    const previous = this.space.head?.seq ?? GONE
    return { at, given: at, deleted, value, by: client, previous, begins: null, hasNull: false, merge: null }
  }
}
