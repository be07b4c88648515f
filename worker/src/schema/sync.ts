import * as z from 'zod/mini'
import type { Fault } from '../core/fault.ts'
import type { Json } from '../core/values/json.ts'
import { MAX_CHANGES } from '../core/values/limits.ts'
import { type Result, refused } from '../core/values/result.ts'
import { AnyJson, ClientId, Collections, Opaque, PageSize } from './name.ts'
import { parseJson, parseShape } from './parse.ts'

/** Any number of JSON. zod knows no infinity, which `1e999` is: it becomes a number that is as little a time. */
const AnyNumber = z.pipe(
  z.transform((number: unknown) =>
    number === Infinity || number === -Infinity ? Math.sign(number) * Number.MAX_VALUE : number,
  ),
  z.number(),
)

/** Rounded down, as a timestamp is. */
const ClientTime = z.pipe(
  z.number().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER)),
  z.transform((time: number) => Math.floor(time)),
)

/** One change. What is wrong with a single one (bad key, no value) rejects that one, so the bounds are not here. */
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

/** The body of `POST /api/sync`, or why it is refused whole. */
export function parseSync(text: string): Result<SyncRequest, Fault> {
  const json = parseJson(text)
  return json.ok ? toSyncRequest(json.value) : json
}

/** The same of a body that was parsed already. Changes are counted before any of them is looked at. */
export function toSyncRequest(json: Json): Result<SyncRequest, Fault> {
  const found = countOf(json)
  if (found > MAX_CHANGES) return refused({ code: 'too-many-changes', limit: MAX_CHANGES, found })
  const parsed = parseShape(SyncRequest, json)
  if (!parsed.ok) return parsed
  const { batch, changes } = parsed.value
  const twofold = changes.findIndex(namesTwoBases)
  if (twofold !== -1) return invalid(`changes[${twofold}]: has both base and baseValue or baseDeleted`)
  // The content alone tells a retry of it, and the time of arrival would make another edit of each.
  const timeless = batch === undefined ? changes.findIndex(({ timestamp }) => timestamp === undefined) : -1
  if (timeless !== -1)
    return invalid(
      `changes[${timeless}].timestamp: is missing, and only a batch with a number may leave it out`,
    )
  return parsed
}

function invalid(detail: string): Result<never, Fault> {
  return refused({ code: 'invalid-request', detail })
}

function countOf(body: Json): number {
  const changes = typeof body === 'object' && body !== null && 'changes' in body ? body.changes : []
  return Array.isArray(changes) ? changes.length : 0
}

function namesTwoBases({ base, baseValue, baseDeleted }: z.infer<typeof Change>): boolean {
  return base !== undefined && (baseValue !== undefined || baseDeleted !== undefined)
}
