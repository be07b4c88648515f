import * as z from 'zod/mini'
import { toDotPath } from 'zod/v4/core'
import en from 'zod/v4/locales/en.js'
import { isWellFormed, type Json, mayHoldLoneSurrogate } from '../core/json.ts'
import { MAX_DEPTH } from '../core/limits.ts'
import { accepted, type Result, refused } from '../core/result.ts'

z.config(en())

/** How deep a value lies in the deepest request: message, body, changes, change. */
const ENVELOPE_DEPTH = 4

/** A body's text as a value of the schema's shape, or the first thing that is wrong with it. */
export function parseBody<T>(schema: z.ZodMiniType<T>, text: string): Result<T> {
  const json = parseJson(text)
  return json.ok ? parseShape(schema, json.value) : json
}

/** A text as JSON whose strings are text. */
export function parseJson(text: string): Result<Json> {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return refused({ code: 'not-json', detail: cause instanceof Error ? cause.message : 'malformed' })
  }
  if (mayHoldLoneSurrogate(text) && !isWellFormed(value, MAX_DEPTH + ENVELOPE_DEPTH))
    return refused({ code: 'lone-surrogate' })
  return accepted(value)
}

/** A query string as a value of the schema's shape; a name that comes twice is refused. */
export function parseQuery<T>(schema: z.ZodMiniType<T>, query: URLSearchParams): Result<T> {
  const names = [...query.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    return refused({ code: 'invalid-request', detail: `${twice}: given more than once` })
  return parseShape(schema, Object.fromEntries(query))
}

/** A value as one of the schema's shape, or the first thing that is wrong with it. */
export function parseShape<T>(schema: z.ZodMiniType<T>, value: unknown): Result<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return accepted(parsed.data)
  const [issue] = parsed.error.issues
  return refused({ code: 'invalid-request', detail: issue === undefined ? 'invalid' : describe(issue) })
}

function describe(issue: z.core.$ZodIssue): string {
  const path = toDotPath(issue.path)
  const message = issue.message.endsWith('received undefined') ? 'is missing' : issue.message
  return path === '' ? message : `${path}: ${message}`
}
