import { readFileSync } from 'node:fs'
import { Validator } from '@cfworker/json-schema'
import { expect, test } from 'vitest'
import document from '../../../docs/openapi.json' with { type: 'json' }
import { ENDINGS } from '../../../worker/openapi/codes.ts'
import { FRAME_EXAMPLES } from '../../../worker/openapi/live.ts'
import { FAULT_CODES } from '../../../worker/openapi/problems.ts'
import { codesPage } from '../../../worker/openapi/table.ts'
import { toEdits } from '../../../worker/src/core/batch/change.ts'
import type { Fault } from '../../../worker/src/core/fault.ts'
import { problemDocument, problemOf } from '../../../worker/src/core/problem.ts'
import { ENDINGS as CLOSES } from '../../../worker/src/core/socket-ending.ts'
import { parseSync } from '../../../worker/src/schema/sync.ts'
import { mismatches } from '../../support/documented.ts'

// The document as a reader's tool walks it: by names that are known only there.
// biome-ignore lint/suspicious/noExplicitAny: see above
const { paths, components, tags, info }: any = document
const { schemas } = components

/** Every part of the document. */
function parts(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(parts)]
}

/** All combinations of one value, or none, for each field. */
function combinations(fields: Readonly<Record<string, readonly unknown[]>>): readonly object[] {
  return Object.entries(fields).reduce<readonly object[]>(
    (made, [name, values]) =>
      made.flatMap((item) => [item, ...values.map((value) => ({ ...item, [name]: value }))]),
    [{}],
  )
}

function isTaken(change: object): boolean {
  const parsed = parseSync(JSON.stringify({ batch: 1, changes: [change] }))
  if (!parsed.ok) return false
  const clock = { now: 2e12, skew: 0 }
  const [edit] = toEdits(parsed.value.changes, { epoch: 'e', clock, granted: null } as never)
  return edit?.rejection === null
}

test('[OA4] a change that the document describes is taken, and has one shape only', () => {
  const changes = combinations({
    timestamp: [1],
    value: [null, 1],
    deleted: [true, false],
    base: [null, 'e.1'],
    baseValue: [1],
    baseDeleted: [true, false],
  }).map((fields) => ({ key: 'notes/1', ...fields }))
  const known = changes.filter((change) => mismatches('Change', change).length === 0)
  expect(known.length).toBeGreaterThan(30)
  for (const change of known) {
    expect(isTaken(change), JSON.stringify(change)).toBe(true)
    const shapes = schemas.Change.oneOf.filter(
      ({ $ref }: { $ref: string }) => mismatches($ref.slice($ref.lastIndexOf('/') + 1), change).length === 0,
    )
    expect(shapes.length, JSON.stringify(change)).toBe(1)
  }
  // What the Worker takes beyond: fields that say nothing.
  const more = changes.filter((change) => isTaken(change) && !known.includes(change))
  for (const change of more) {
    const { baseValue, baseDeleted } = change as { baseValue?: number; baseDeleted?: boolean }
    expect(
      baseValue === undefined ? baseDeleted === false : baseDeleted === true,
      JSON.stringify(change),
    ).toBe(true)
  }
})

test('[OA4] every problem is described by the schema of its code, whatever it tells', () => {
  const faults: readonly Fault[] = [
    { code: 'rate-limited', policy: 'place', limit: null, retryAfterSeconds: 1 },
    { code: 'rate-limited', policy: 'space', limit: 6000, retryAfterSeconds: 1 },
    { code: 'quota-exceeded', quota: 'bytes', limit: 1, used: null },
    { code: 'stale-base', version: null },
    { code: 'batch-gap', expected: 1, found: 5, epoch: 'e' },
    { code: 'busy', limit: 250, retryAfterSeconds: 1 },
    { code: 'atomic-failed', results: [{ key: 'k', status: 'rejected', code: 'missing-value' }] },
  ]
  for (const fault of faults) {
    const problem = problemDocument(problemOf(fault), 'r')
    expect(mismatches(fault.code, problem), fault.code).toEqual([])
    expect(mismatches(fault.code, { ...problem, more: 1 }), fault.code).not.toEqual([])
  }
  for (const code of FAULT_CODES) {
    const { value } = components.examples[code]
    expect(mismatches(code, value), code).toEqual([])
    expect(mismatches(code === 'internal' ? 'busy' : 'internal', value), code).not.toEqual([])
  }
  const { expected: _, ...without } = components.examples['batch-gap'].value
  expect(mismatches('batch-gap', without)).not.toEqual([])
})

test('[OA4] a status of an operation has the codes of that status that the operation can answer', () => {
  for (const response of Object.values(components.responses)) {
    const media = (response as { content?: object }).content ?? {}
    for (const { schema, examples } of Object.values(media)) {
      const refs = schema.oneOf ?? [schema]
      const codes = refs.map(({ $ref }: { $ref: string }) => $ref.slice($ref.lastIndexOf('/') + 1))
      expect(codes).toEqual(Object.keys(examples))
      if (codes.length > 1) expect(schema.discriminator).toEqual({ propertyName: 'code' })
    }
  }
})

test('[OA5] each frame is described, and no other message', () => {
  for (const [name, frame] of Object.entries(FRAME_EXAMPLES)) {
    expect(mismatches('Frame', frame), name).toEqual([])
    expect(mismatches('Frame', { ...(frame as object), more: 1 }), name).not.toEqual([])
  }
  expect(mismatches('ServerFrame', { type: 'seen', cursor: 'e.1' })).not.toEqual([])
  expect(mismatches('ServerFrame', { type: 'changes', cursor: 'e.1', changes: [] })).not.toEqual([])
  const problem = components.examples['not-empty'].value
  expect(mismatches('ServerFrame', { type: 'ack', id: 'p', status: 409, body: problem })).not.toEqual([])
  const closes = paths['/api/live'].get['x-websocket'].closes
  expect(closes.map(({ code, reason }: { code: number; reason: string }) => [code, reason])).toEqual(
    Object.values(CLOSES),
  )
  expect(Object.keys(ENDINGS).sort()).toEqual(Object.keys(CLOSES).sort())
})

test('[OA7] every code has an action, and docs/codes.md says the same: `npm run fix` writes it', () => {
  expect(readFileSync('docs/codes.md', 'utf8')).toBe(codesPage())
  const codes: Record<string, string> = document['x-codes']
  for (const code of FAULT_CODES) expect(schemas[code]['x-action']).toBe(codes[code])
  expect(Object.keys(codes).length).toBe(FAULT_CODES.length + 1)
  const { code } = schemas.RejectedResult.properties
  expect(Object.keys(schemas.RejectedResult['x-actions']).sort()).toEqual([...code.enum].sort())
})

test('[OA8] patterns mean the same with and without the flag `u`', () => {
  const texts = [
    'notes',
    'a/b',
    'a,b',
    'tab\t',
    'c1\u0085',
    'é',
    '📝',
    'https://a.test/#sub=x',
    '',
    ' ',
    '\u007f',
  ]
  const patterns = parts(document).flatMap((part) =>
    'pattern' in part && typeof part.pattern === 'string' ? [part.pattern] : [],
  )
  expect(patterns.length).toBeGreaterThan(10)
  for (const pattern of patterns) {
    for (const text of texts)
      expect(new RegExp(pattern).test(text), pattern).toBe(new RegExp(pattern, 'u').test(text))
  }
  expect(new Validator(schemas.TokenRequest.properties.subject).validate('a\u0007').valid).toBe(false)
})

/** What a client's author has to find without another source: where it stands, and the words that say it. */
const ANSWERS: readonly (readonly [question: string, where: () => unknown, words: RegExp])[] = [
  ['what is applied first', () => schemas.SyncReply.description, /`results` .* then `changes`/],
  [
    'what is applied of a replay',
    () => schemas.SyncReply.description,
    /Under `replayed` apply `changes` only/,
  ],
  ['which codes to send again', () => info.description, /`retry`: Send the same request again, unchanged/],
  ['what a retry repeats', () => tag('Sync'), /same number, same keys, values, times and bases/],
  ['how long a retry is known', () => tag('Sync'), /`tombstoneDays`, at least/],
  ['what `revoked` means', () => schemas.revoked.description, /The token was revoked/],
  ['the way out of batch-gap', () => schemas['batch-gap'].description, /Send the batch that has `expected`/],
  ['the way out of batch-too-old', () => schemas['batch-too-old'].description, /drop it from the queue/],
  ['what a copied store does', () => schemas['batch-too-old'].description, /take a new `clientId`/],
  ['the way out of batch-mismatch', () => schemas['batch-mismatch'].description, /under `expected`/],
  ['the way out of batch-forgotten', () => schemas['batch-forgotten'].description, /Drop it from the queue/],
  ['where numbers begin again', () => schemas.SyncRequest.properties.batch.description, /from 1 again/],
  ['the order of keys in values', () => tag('Sync'), /keys of an object/],
  ['when to say `seen`', () => schemas.SeenFrame.description, /after every frame/],
  [
    'what `reset` asks for, and why',
    () => schemas.ChangesReply.properties.resetReason.description,
    /clear the copy/,
  ],
  [
    'an empty page with `more`',
    () => schemas.ChangesReply.properties.more.description,
    /even if `changes` is empty/,
  ],
  [
    'own writes in a page',
    () => schemas.SyncReply.properties.changes.description,
    /writes of this very request/,
  ],
  ['`base` null, absent, a value', () => tag('Sync'), /`base: null`: the key was absent/],
  ['times: unit, skew, 0', () => tag('Sync'), /`timestamp: 0` means: lose/],
  ['the limits', () => schemas.Limits.description, /stay within/],
  ['what a cursor is bound to', () => schemas.ChangesReply.properties.cursor.description, /bound to them/],
  [
    'which conflict a result has',
    () => schemas.AppliedResult.properties.conflict.description,
    /`id` of its conflict/,
  ],
  ['what `atomic` does', () => schemas.SyncRequest.properties.atomic.description, /All changes or none/],
  ['what a 401 means for the queue', () => tag('Sessions'), /401 says nothing about the queue: keep it/],
  ['who sees whose writes', () => tag('Sync'), /`by`, the client that wrote it/],
  ['how deletions come', () => schemas.DeletedEntry.description, /remove it from the copy/],
  ['how `manual` conflicts are decided', () => tag('Conflicts'), /show both sides, then send the choice/],
  ['encryption', () => tag('Sync'), /A client may encrypt/],
]

function tag(wanted: string): string {
  return tags.find(({ name }: { name: string }) => name === wanted).description
}

test.each(ANSWERS)('[OA9] the document tells %s', (_, where, words) => {
  expect(where()).toMatch(words)
})
