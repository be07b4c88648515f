import type { Habits } from '../clients/client.ts'
import type { Verdicts } from '../values/violation.ts'
import { type Change, type Frame, isGranted, type Reply, type Request, seqOf } from '../values/wire.ts'

/** A request with its reply, whether or not the reply arrived. */
export interface Handled {
  readonly client: Habits
  readonly request: Request
  readonly reply: Reply
}

/** A frame with the client that it was sent to, whether or not it arrived. */
export interface Followed {
  readonly client: Habits
  readonly frame: Frame
}

/** A difference of clocks that is not corrected, ms (CL2). */
const TOLERANCE = 2_000

/** Checks a single reply by itself. */
export function checkReply(verdicts: Verdicts, handled: Handled): void {
  checkFeed(verdicts, handled)
  checkGrant(verdicts, handled)
  checkRejections(verdicts, handled)
  if (!handled.reply.replayed) checkTimes(verdicts, handled)
}

function checkFeed(verdicts: Verdicts, { client, request, reply }: Handled): void {
  if (request.cursor === undefined) {
    verdicts.expect(
      reply.cursor === undefined && reply.changes.length === 0,
      'IN3',
      () => `${client.id} pulled nothing and got a page`,
    )
    return
  }
  const from = reply.reset || request.cursor === null ? 0 : seqOf(request.cursor)
  const to = seqOf(reply.cursor ?? '')
  const seqs = reply.changes.map(({ version }) => seqOf(version))
  const ascends = seqs.every((seq, index) => seq > (seqs[index - 1] ?? from)) && (seqs.at(-1) ?? from) <= to
  verdicts.expect(
    ascends && to >= from,
    'IN3',
    () => `the feed of ${client.id} from ${from} to ${to} holds ${seqs}`,
  )
  const acknowledged = reply.results.flatMap(({ version }) => (version === undefined ? [] : [seqOf(version)]))
  const behind = !reply.more && acknowledged.some((seq) => seq > to)
  verdicts.expect(!behind, 'IN5', () => `${client.id} is at ${to} and was told of ${acknowledged}`)
  const fits = seqs.length <= (request.limit ?? 500) && (!reply.more || to > from)
  verdicts.expect(fits, 'IN3', () => `a page of ${seqs.length} from ${from} to ${to}, limit ${request.limit}`)
}

/** Checks a single frame by itself. */
export function checkFrame(verdicts: Verdicts, { client, frame }: Followed): void {
  if (frame.type === 'poke') return
  const { id, granted, asks } = client
  const from = seqOf(frame.from ?? '')
  const to = seqOf(frame.cursor)
  const seqs = frame.changes.map(({ version }) => seqOf(version))
  const ascends = seqs.every((seq, index) => seq > (seqs[index - 1] ?? from)) && (seqs.at(-1) ?? from) <= to
  verdicts.expect(ascends && to > from, 'IN3', () => `a frame for ${id} from ${from} to ${to} holds ${seqs}`)
  const hidden = frame.changes.find(({ key }) => !isGranted(granted, key) || !isGranted(asks, key))
  verdicts.expect(hidden === undefined, 'IN9', () => `${id} was told of ${hidden?.key}`)
}

function checkGrant(verdicts: Verdicts, { client, request, reply }: Handled): void {
  for (const { key } of [...reply.changes, ...reply.conflicts]) {
    verdicts.expect(isGranted(client.granted, key), 'IN9', () => `${client.id} was shown ${key}`)
  }
  const unasked = reply.changes.find(({ key }) => !isGranted(request.collections, key))
  verdicts.expect(unasked === undefined, 'IN9', () => `${client.id} did not ask for ${unasked?.key}`)
}

function checkRejections(verdicts: Verdicts, { client, request, reply }: Handled): void {
  verdicts.expect(
    reply.results.length === request.changes.length,
    'IN10',
    () => `${client.id}: a change without a result`,
  )
  for (const [index, change] of request.changes.entries()) {
    const code = flawOf(change, client.granted)
    const result = reply.results[index]
    const said = result?.status === 'rejected' ? result.code : undefined
    const invariant = code === 'forbidden-key' ? 'IN9' : 'IN7'
    verdicts.expect(
      said === code,
      invariant,
      () => `${JSON.stringify(change)} of ${client.id}: ${said}, not ${code}`,
    )
  }
  const rejected = reply.results.some(({ status }) => status === 'rejected')
  verdicts.expect(reply.success === !rejected, 'IN7', () => `success is ${reply.success}`)
  const spoiled = request.atomic === true && (rejected || reply.conflicts.length > 0)
  verdicts.expect(!spoiled, 'IN10', () => `an atomic batch of ${client.id} went through in part`)
}

/** The code with which a change must be rejected; undefined if it must be accepted. */
function flawOf({ key, timestamp, value, deleted }: Change, granted: Habits['granted']): string | undefined {
  if (key === '' || key.startsWith('/') || key.includes('\n')) return 'invalid-key'
  if (!isGranted(granted, key)) return 'forbidden-key'
  if (timestamp < 0) return 'invalid-timestamp'
  return value === undefined && !deleted ? 'missing-value' : undefined
}

function checkTimes(verdicts: Verdicts, handled: Handled): void {
  for (const [index, change] of handled.request.changes.entries()) {
    const result = handled.reply.results[index]
    if (result === undefined || result.status === 'rejected') continue
    const at = result.effectiveTimestamp ?? change.timestamp
    const time = timeOf(handled, change)
    // The time of an applied write may have been raised to that of its base. `checkApplied` checks that time.
    const isRaised = (result.status === 'applied' || result.status === 'merged') && at > time
    verdicts.expect(
      at === time || isRaised,
      'IN7',
      () => `${change.timestamp} counts as ${at}, not ${timeOf(handled, change)}`,
    )
  }
}

/** The time that decides (CL1 to CL3, CL5). */
export function timeOf({ request, reply }: Handled, { timestamp }: Change): number {
  const now = reply.serverTime
  const skew = request.clientTime === undefined ? 0 : now - request.clientTime
  const corrected = Math.floor(timestamp) + (Math.abs(skew) > TOLERANCE ? skew : 0)
  return Math.min(now, Math.max(0, corrected))
}

/** The change that made each version, and the versions that each change made, according to the replies. */
export interface Origins {
  readonly sources: ReadonlyMap<number, Change>
  readonly effects: ReadonlyMap<Change, ReadonlySet<number>>
}

export function originsOf(handled: readonly Handled[]): Origins {
  const sources = new Map<number, Change>()
  const effects = new Map<Change, Set<number>>()
  for (const { request, reply } of handled) {
    for (const [index, change] of request.changes.entries()) {
      const { status, version } = reply.results[index] ?? {}
      if ((status !== 'applied' && status !== 'merged') || version === undefined) continue
      const seq = seqOf(version)
      // A merge without effect names a version that exists already.
      if (!sources.has(seq)) sources.set(seq, change)
      effects.set(change, (effects.get(change) ?? new Set()).add(seq))
    }
  }
  return { sources, effects }
}
