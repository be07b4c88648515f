import * as z from 'zod/mini'
import { toDotPath } from 'zod/v4/core'
import en from 'zod/v4/locales/en.js'
import type { Fault } from '../core/fault.ts'
import { type Json, type Misfit, misfitIn } from '../core/values/json.ts'
import { MAX_DEPTH } from '../core/values/limits.ts'
import { boundedPointer } from '../core/values/pointer.ts'
import { accepted, type Result, refused } from '../core/values/result.ts'

// Messages never repeat the input: it could contain a credential by mistake (SC8), and has any length.
z.config({
  ...en(),
  customError(issue) {
    if (issue.code === 'unrecognized_keys') return unknownFields(issue.keys)
    // The name of a field breaks a rule, which the message of the record leaves out.
    if (issue.code === 'invalid_key') return issue.issues[0]?.message
    return issue.code === 'invalid_type' && issue.expected === 'int' ? 'expected a whole number' : undefined
  },
})

/** The depth of a value inside a body or a line of an import, of which it is a field. */
const ENVELOPE_DEPTH = 1

/**
 * Parses a body by the schema, or gives the first fault. Refuses a body that is nested too deep before anything recurses
 * into it, including the call of an object.
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

/** Parses JSON. Strings may contain lone surrogates, numbers may be infinite, and nesting has any depth. */
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

/** Removes the excerpt of the input from the message of the engine: it could contain a credential by mistake (SC8). */
function withoutExcerpt(message: string): string {
  return message.replace(/,? *(?:\.\.\.)?".*$/s, '')
}

/** Parameters that are lists. Generated clients repeat the name for each item, other clients separate items by commas. */
const LISTS: readonly string[] = ['collections']

/** Parses a query string by the schema. Refuses a repeated name, unless the parameter is a list. */
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
 * Checks a value by the schema, or gives the first fault. zod collects every fault, so every array and record of a schema
 * has a maximum size. zod checks the size of an array before it looks at its items.
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

/** The number of unknown fields that a message names. */
const NAMED_FIELDS = 3

function unknownFields(names: readonly string[]): string {
  const named = names.slice(0, NAMED_FIELDS).map((name) => `"${shown(name)}"`)
  const more = names.length > NAMED_FIELDS ? ` and ${names.length - NAMED_FIELDS} more` : ''
  return `Unrecognized ${names.length === 1 ? 'key' : 'keys'}: ${named.join(', ')}${more}`
}

/** A name that a client chose, if it may be a mistyped field. Every credential is longer. */
function shown(name: string): string {
  return /^[\w-]{1,24}$/.test(name) ? name : '…'
}
