import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import manifest from '../../../package.json' with { type: 'json' }
import { openApiDocument } from '../../../worker/openapi/document.ts'
import { OPERATIONS } from '../../../worker/openapi/operations/operations.ts'
import { documented, mismatches, mismatchesOfLines } from '../../support/documented.ts'

const committed = readFileSync('docs/openapi.json', 'utf8')
const committedDocument = JSON.parse(committed)

interface Described {
  readonly description?: string
  /** `false` is a field that the schema forbids. */
  readonly properties?: Readonly<Record<string, { readonly description?: string } | false>>
}

const SCHEMAS: Readonly<Record<string, Described>> = committedDocument.components.schemas

test('[OA1] generates docs/openapi.json: run `npm run openapi`, and read the diff as a change of the wire', async () => {
  expect(committed).toBe(`${JSON.stringify(await openApiDocument(manifest.version), null, 2)}\n`)
})

test('[OA1] generates a valid document of OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(JSON.parse(committed))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('[OA9] describes every schema, and every field that is not a constant', () => {
  const undescribed: string[] = []
  for (const [name, { description, properties = {} }] of Object.entries(SCHEMAS)) {
    if (!description) undescribed.push(name)
    for (const [field, schema] of Object.entries(properties))
      if (schema && !('const' in schema || schema.description)) undescribed.push(`${name}.${field}`)
  }
  expect(undescribed).toEqual([])
})

test('[OA2] gives only examples that their schemas accept, without unknown fields', () => {
  for (const [name, { body, reply }] of Object.entries(OPERATIONS)) {
    for (const content of [body, reply]) {
      if (content === undefined || 'description' in content || 'metrics' in content) continue
      const found =
        'lines' in content ? mismatchesOfLines(content.example) : mismatches(content.schema, content.example)
      expect(found, name).toEqual([])
    }
  }
})

const PROBLEM = JSON.stringify({
  ...committedDocument.components.examples['not-found'].value,
  instance: 'urn:chronicle-sync:request:x',
})
const COMMON = {
  'x-request-id': 'x',
  'cache-control': 'no-store',
  vary: 'Origin',
  'x-content-type-options': 'nosniff',
}

/** Whether a response counts as documented. */
function passes(
  method: string,
  path: string,
  { body, ...init }: ResponseInit & { body: string },
): Promise<boolean> {
  const request = new Request(`https://x.test${path}`, { method })
  const headers = { ...COMMON, 'content-type': 'application/json', ...init.headers }
  const response = new Response(body === '' ? null : body, { ...init, headers })
  return documented(request, response).then(
    () => true,
    () => false,
  )
}

test('[OA2] fails a test whose response the document does not describe', async () => {
  const body = '{"success":true}'
  const problem = { 'content-type': 'application/problem+json' }
  expect(await passes('DELETE', '/api/auth', { body })).toBe(true)
  expect(await passes('DELETE', '/api/auth', { body: '{"success":true,"more":1}' })).toBe(false)
  expect(await passes('DELETE', '/api/auth', { body: '{}' })).toBe(false)
  expect(await passes('DELETE', '/api/auth', { body: '{"success":false}' })).toBe(false)
  expect(await passes('DELETE', '/api/auth', { body, status: 201 })).toBe(false)
  expect(await passes('DELETE', '/api/auth', { body, headers: { 'content-type': 'text/plain' } })).toBe(false)
  expect(await passes('HEAD', '/api/health', { body: '' })).toBe(true)
  expect(await passes('HEAD', '/api/health', { body })).toBe(false)
  expect(await passes('DELETE', '/api/tokens/x', { body: PROBLEM, status: 404, headers: problem })).toBe(true)
  expect(await passes('DELETE', '/api/tokens/x', { body: PROBLEM, status: 404 })).toBe(false)
  expect(await passes('DELETE', '/api/auth', { body: PROBLEM, status: 404, headers: problem })).toBe(false)
  expect(await passes('GET', '/nowhere', { body: PROBLEM, status: 404, headers: problem })).toBe(true)
  expect(await passes('GET', '/nowhere', { body, status: 404, headers: problem })).toBe(false)
  const limited = JSON.stringify(committedDocument.components.examples['rate-limited'].value)
  const refusal = { body: limited, status: 429, headers: problem }
  const answered = (headers: Record<string, string>) =>
    passes('GET', '/api/status', { ...refusal, headers: { ...problem, ...headers } })
  const fields = { 'retry-after': '60', ratelimit: '"client";r=0;t=60' }
  expect(await answered({})).toBe(false)
  expect(await answered(fields)).toBe(true)
  expect(await answered({ ...fields, 'retry-after': 'x' })).toBe(false)
  expect(await answered({ 'retry-after': '60' })).toBe(false)
  expect(await answered({ ...fields, ratelimit: 'client;r=0;t=60' })).toBe(false)
  expect(await answered({ ...fields, 'ratelimit-policy': '"client";q=600;w=60' })).toBe(true)
  expect(await answered({ ...fields, 'ratelimit-policy': '"client";w=60' })).toBe(false)
})

test('[OA2] fails a test whose response lacks a header of every response', async () => {
  const request = new Request('https://x.test/api/auth', { method: 'DELETE' })
  for (const name of Object.keys(COMMON)) {
    const headers = new Headers({ ...COMMON, 'content-type': 'application/json' })
    headers.delete(name)
    await expect(documented(request, new Response('{"success":true}', { headers }))).rejects.toThrow(name)
  }
})
