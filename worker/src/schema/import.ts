import * as z from 'zod/mini'
import type { Fault } from '../core/fault.ts'
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportEnd,
  type ExportHeader,
} from '../core/feed/export-format.ts'
import { type Result, refused } from '../core/values/result.ts'
import { AnyJson, ClientId, Milliseconds } from './name.ts'
import { parseBody } from './parse.ts'

const Header: z.ZodMiniType<ExportHeader> = z.strictObject({
  type: z.literal('header'),
  format: z.literal(EXPORT_FORMAT),
  version: z.literal(EXPORT_VERSION),
  space: z.string(),
  epoch: z.string(),
  head: z.string(),
  exportedAt: Milliseconds,
})

const End: z.ZodMiniType<ExportEnd> = z.strictObject({
  type: z.literal('end'),
  entries: z.int().check(z.minimum(0)),
  cursor: z.string(),
})

/** An entry as the feed shows it. Its version is another space's, and is not kept. */
const Entry = z.strictObject({
  key: z.string(),
  value: z.optional(AnyJson),
  deleted: z.optional(z.literal(true)),
  timestamp: z.number(),
  version: z.string(),
  by: ClientId,
})
export type ImportEntry = z.infer<typeof Entry>

/** The first line of an export. */
export function parseHeader(text: string): Result<ExportHeader, Fault> {
  return named(parseBody(Header, text), 1)
}

/** Any further line. A bad one is refused with its number. */
export function parseImportLine(text: string, number: number): Result<ExportEnd | ImportEntry, Fault> {
  const parsed = /^\s*\{\s*"type"/.test(text) ? parseBody(End, text) : parseBody(Entry, text)
  return named<ExportEnd | ImportEntry>(parsed, number)
}

function named<T>(parsed: Result<T, Fault>, line: number): Result<T, Fault> {
  if (parsed.ok) return parsed
  return refused({ code: 'invalid-line', line, detail: wordsOf(parsed.fault) })
}

function wordsOf(fault: Fault): string {
  if (fault.code === 'invalid-request') return fault.detail
  if (fault.code === 'not-json') return `not JSON: ${fault.detail}`
  return 'place' in fault ? `${fault.code} at ${fault.place}` : fault.code
}
