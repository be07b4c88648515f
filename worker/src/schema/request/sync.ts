import * as z from 'zod/mini'
import type { Fault } from '../../core/fault.ts'
import type { Json } from '../../core/values/json.ts'
import { MAX_CHANGES } from '../../core/values/limits.ts'
import { type Result, refused } from '../../core/values/result.ts'
import { AnyJson, ClientId, Collections, Opaque, PageSize } from '../atoms.ts'
import { parseJson, parseShape } from '../parse.ts'
import type { Words } from '../words.ts'

/** Any number of JSON. zod rejects Infinity (`1e999`), so it becomes the largest double, which is an invalid time too. */
const AnyNumber = z.pipe(
  z.transform((number: unknown) =>
    number === Infinity || number === -Infinity ? Math.sign(number) * Number.MAX_VALUE : number,
  ),
  z.number(),
)

/** A time, rounded down like a timestamp. */
const ClientTime = z.pipe(
  z.number().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER)),
  z.transform((time: number) => Math.floor(time)),
)

/** One change. Its bounds are not checked here, because a fault of one change (bad key, no value) rejects only that change. */
export const Change = z.strictObject({
  key: z.string(),
  value: z.optional(AnyJson),
  deleted: z.optional(z.boolean()),
  timestamp: z.optional(AnyNumber),
  base: z.optional(z.nullable(z.string())),
  baseValue: z.optional(AnyJson),
  baseDeleted: z.optional(z.boolean()),
})

export const SyncRequest = z.strictObject({
  clientId: z.optional(ClientId),
  batch: z.optional(z.int().check(z.minimum(1))),
  clientTime: z.optional(ClientTime),
  cursor: z.optional(z.nullable(Opaque)),
  limit: z.optional(PageSize),
  collections: z.optional(Collections),
  atomic: z.optional(z.boolean()),
  echo: z.optional(z.boolean()),
  changes: z.array(Change).check(z.maxLength(MAX_CHANGES)),
})
export type SyncRequest = z.infer<typeof SyncRequest>

/** All of a request but its changes. */
const Envelope = z.strictObject({
  ...SyncRequest.shape,
  changes: z.unknown() as z.ZodMiniType<SyncRequest['changes']>,
})

export const SYNC_REQUEST_WORDS: Words<typeof SyncRequest> = {
  description: 'A batch of changes, and the position to pull from.',
  fields: {
    clientId: 'The client of the session. Any other client is refused.',
    batch:
      'The number of this batch of the client: from 1, without gaps, and from 1 again in another `epoch`. Sent again with the same changes, it takes effect once.',
    clientTime:
      "The client's clock at the time of sending, ms since 1970. Its skew corrects every `timestamp`. A fraction is rounded down. A retry sends the new time.",
    cursor: 'The `cursor` of the previous page, or null to start. Without it, nothing is pulled.',
    limit: 'The most entries of the page.',
    collections: 'Only these collections: the part of a key before its first slash, or `default`.',
    echo: 'Whether `changes` also contains the writes of this very request. Without a cursor, nothing is pulled.',
    atomic: 'All changes or none: any rejection or conflict is a 409 `atomic-failed`.',
    changes: 'The changes, in the order in which they take effect.',
  },
}

/** Parses the body of `POST /api/sync`, or refuses it as a whole. */
export function parseSync(text: string): Result<SyncRequest, Fault> {
  const json = parseJson(text)
  return json.ok ? toSyncRequest(json.value) : json
}

/** Checks a body that is JSON already. Counts the changes before it looks at any of them. */
export function toSyncRequest(json: Json): Result<SyncRequest, Fault> {
  const found = countOf(json)
  if (found > MAX_CHANGES) return refused({ code: 'too-many-changes', limit: MAX_CHANGES, found })
  const parsed = parseShape(hasPlainChanges(json) ? Envelope : SyncRequest, json)
  if (!parsed.ok) return parsed
  const { batch, changes } = parsed.value
  const ambiguous = changes.findIndex(namesTwoBases)
  if (ambiguous !== -1) return invalid(`changes[${ambiguous}]: has both base and baseValue or baseDeleted`)
  // Without a batch number only the content identifies a retry, and its new time of arrival would make it another edit.
  const timeless = batch === undefined ? changes.findIndex(({ timestamp }) => timestamp === undefined) : -1
  if (timeless !== -1)
    return invalid(`changes[${timeless}].timestamp: is missing, and only a batch with a number may omit it`)
  return parsed
}

function invalid(detail: string): Result<never, Fault> {
  return refused({ code: 'invalid-request', detail })
}

function countOf(body: Json): number {
  return changesIn(body)?.length ?? 0
}

function changesIn(body: Json): readonly Json[] | null {
  const changes = typeof body === 'object' && body !== null && 'changes' in body ? body.changes : null
  return Array.isArray(changes) ? changes : null
}

/** Whether zod would return every change as it is. zod takes 250 µs to check 500 changes, because a Worker has no `eval`. */
function hasPlainChanges(body: Json): boolean {
  return changesIn(body)?.every(isPlainChange) ?? false
}

/** Returns false too for whatever is not certain here. zod decides then, and finds the words for a fault. */
function isPlainChange(change: Json): boolean {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return false
  let hasKey = false
  for (const field in change) {
    if (!isPlainField(field, (change as { readonly [field: string]: Json })[field])) return false
    hasKey ||= field === 'key'
  }
  return hasKey
}

function isPlainField(field: string, value: unknown): boolean {
  switch (field) {
    case 'key':
      return typeof value === 'string'
    case 'base':
      return value === null || typeof value === 'string'
    case 'timestamp':
      return Number.isFinite(value)
    case 'deleted':
    case 'baseDeleted':
      return typeof value === 'boolean'
    default:
      return field === 'value' || field === 'baseValue'
  }
}

function namesTwoBases({ base, baseValue, baseDeleted }: z.infer<typeof Change>): boolean {
  return base !== undefined && (baseValue !== undefined || baseDeleted !== undefined)
}
