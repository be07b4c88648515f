import * as z from 'zod/mini'
import { toDotPath } from 'zod/v4/core'
import en from 'zod/v4/locales/en.js'
import type { Fault } from '../core/fault.ts'
import { type Json, type Misfit, misfitIn } from '../core/values/json.ts'
import { MAX_DEPTH } from '../core/values/limits.ts'
import { boundedPointer } from '../core/values/pointer.ts'
import { accepted, type Result, refused } from '../core/values/result.ts'

// Messages never repeat what was sent: a credential could stand there by mistake (SC8), at any length.
z.config({
  ...en(),
  customError: (issue) => (issue.code === 'unrecognized_keys' ? unknownFields(issue.keys) : undefined),
})

/** How deep a value lies in a body or in a line of an import: it is a field of that. */
const ENVELOPE_DEPTH = 1

/**
 * A body's text as a value of the schema's shape, or the first thing that is wrong with it. Refuses what nests too deep
 * before anything recurses into it, the call into an object among it.
 */
export function parseBody<T>(schema: z.ZodMiniType<T>, text: string): Result<T, Fault> {
  const json = parseJson(text)
  if (!json.ok) return json
  const misfit = misfitIn(json.value, MAX_DEPTH + ENVELOPE_DEPTH)
  return misfit === null ? parseShape(schema, json.value) : refused(faultOf(misfit))
}

function faultOf({ code, path }: Misfit): Fault {
  const names = path.map((name) => (typeof name === 'string' ? shown(name) : name))
  const where = { place: boundedPointer(names) }
  return code === 'too-deep' ? { code, limit: MAX_DEPTH, ...where } : { code, ...where }
}

/** A text as JSON. Its strings may be no text, its numbers infinite, and its nesting of any depth. */
export function parseJson(text: string): Result<Json, Fault> {
  try {
    return accepted(JSON.parse(text))
  } catch (cause) {
    return refused({
      code: 'not-json',
      detail: cause instanceof Error ? withoutExcerpt(cause.message) : 'malformed',
    })
  }
}

/** The engine's message without what it quotes of the text: a credential could stand there by mistake (SC8). */
function withoutExcerpt(message: string): string {
  return message.replace(/,? *(?:\.\.\.)?".*$/s, '')
}

/** The parameters that are lists: generated clients repeat the name for each item, others part the items with commas. */
const LISTS: readonly string[] = ['collections']

/** A query string as a value of the schema's shape; a name that comes twice is refused, unless it is a list's. */
export function parseQuery<T>(schema: z.ZodMiniType<T>, query: URLSearchParams): Result<T, Fault> {
  const wanted = new Map<string, string>()
  for (const [name, value] of query) {
    const before = wanted.get(name)
    if (before !== undefined && !LISTS.includes(name)) return invalid(`${shown(name)}: given more than once`)
    wanted.set(name, before === undefined ? value : `${before},${value}`)
  }
  return parseShape(schema, Object.fromEntries(wanted))
}

/**
 * A value as one of the schema's shape, or the first thing that is wrong with it. zod looks for everything that is
 * wrong, so every array and record of a schema has a most: zod counts arrays before it looks at their items.
 */
export function parseShape<T>(schema: z.ZodMiniType<T>, value: unknown): Result<T, Fault> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return accepted(parsed.data)
  const [issue] = parsed.error.issues
  return invalid(issue === undefined ? 'invalid' : describe(issue))
}

function invalid(detail: string): Result<never, Fault> {
  return refused({ code: 'invalid-request', detail })
}

function describe(issue: z.core.$ZodIssue): string {
  const path = toDotPath(issue.path.map((part) => (typeof part === 'string' ? shown(part) : part)))
  const message = issue.message.endsWith('received undefined') ? 'is missing' : issue.message
  return path === '' ? message : `${path}: ${message}`
}

/** How many unknown fields a message names. */
const NAMED_FIELDS = 3

function unknownFields(names: readonly string[]): string {
  const named = names.slice(0, NAMED_FIELDS).map((name) => `"${shown(name)}"`)
  const more = names.length > NAMED_FIELDS ? ` and ${names.length - NAMED_FIELDS} more` : ''
  return `Unrecognized ${names.length === 1 ? 'key' : 'keys'}: ${named.join(', ')}${more}`
}

/** A name that a client chose, if it may be a mistyped field: every credential is longer. */
function shown(name: string): string {
  return /^[\w-]{1,24}$/.test(name) ? name : '…'
}
