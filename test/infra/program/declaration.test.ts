import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSecret, output } from '@pulumi/pulumi'
import { expect, onTestFinished, test } from 'vitest'
import { type BindingValues, bindingsOf } from '../../../infra/component/bindings.ts'
import type { Declaration } from '../../../infra/component/declaration.ts'
import { readDeclaration } from '../../../infra/program/declaration.ts'
import { newProject } from '../../support/cloud/project.ts'

const VALUES: BindingValues = {
  namespaces: { KV: '0123' },
  secrets: { KEY: 'k' },
  variables: { MODE: 'a', LIST: ['x'] },
  datasets: { DATA: 'data_dev' },
  limitsPerMinute: { LIMIT: undefined },
}

const DECLARED = `
name = "sync"
main = "src/index.ts"
compatibility_date = "2026-10-20"
vars = { MODE = "b", LIST = [] }
secrets = { required = ["KEY"] }
analytics_engine_datasets = [{ binding = "DATA", dataset = "data" }]
kv_namespaces = [{ binding = "KV", id = "x" }]
durable_objects = { bindings = [{ name = "ROOM", class_name = "Room" }] }
migrations = [{ tag = "v1", new_sqlite_classes = ["Room"] }]
ratelimits = [{ name = "LIMIT", namespace_id = "1", simple = { limit = 5, period = 10 } }]
`

function declare(text: string): Declaration {
  const root = mkdtempSync(join(tmpdir(), 'chronicle-declaration-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'worker'))
  writeFileSync(join(root, 'worker/wrangler.toml'), text)
  return readDeclaration(root)
}

test('sorts bindings by name, keeps their kinds, and marks secrets', async () => {
  const bindings = bindingsOf(declare(DECLARED), { ...VALUES, limitsPerMinute: { LIMIT: 30 } }, 'sync-dev')
  expect(await isSecret(output(bindings[1]?.text))).toBe(true)
  expect(bindings).toEqual([
    { name: 'DATA', type: 'analytics_engine', dataset: 'data_dev' },
    { name: 'KEY', type: 'secret_text', text: expect.anything() },
    { name: 'KV', type: 'kv_namespace', namespaceId: '0123' },
    {
      name: 'LIMIT',
      type: 'ratelimit',
      namespaceId: expect.stringMatching(/^\d+$/),
      simple: { limit: 30, period: 60 },
    },
    { name: 'LIST', type: 'json', json: '["x"]' },
    { name: 'MODE', type: 'plain_text', text: 'a' },
    { name: 'ROOM', type: 'durable_object_namespace', className: 'Room' },
  ])
})

test.each([
  ['KV = ', 'the KV namespace OTHER', DECLARED.replace('"KV", id', '"OTHER", id')],
  ['secret', 'the secret MORE', DECLARED.replace('["KEY"]', '["KEY", "MORE"]')],
  ['variable', 'the variable MORE', DECLARED.replace('LIST = []', 'LIST = [], MORE = 1')],
  ['dataset', 'the dataset MORE', DECLARED.replace('"DATA", d', '"MORE", d')],
])('reports a declared %s without a value in one line', (_kind, what, text) => {
  expect(() => bindingsOf(declare(text), VALUES, 'sync-dev')).toThrow(
    `worker/wrangler.toml declares ${what}, but infra/component/provision.ts gives it no value: add it there`,
  )
})

test('refuses two bindings with one name, of different kinds too', () => {
  const text = DECLARED.replace('{ name = "LIMIT"', '{ name = "ROOM"')
  expect(() => bindingsOf(declare(text), { ...VALUES, limitsPerMinute: {} }, 'sync-dev')).toThrow(
    'worker/wrangler.toml declares two bindings with the name ROOM: rename one of them',
  )
})

test.each([
  ['the KV namespace MORE', { namespaces: { KV: '0', MORE: '1' } }],
  ['the secret MORE', { secrets: { KEY: 'k', MORE: 'm' } }],
  ['the variable MORE', { variables: { ...VALUES.variables, MORE: 1 } }],
  ['the rate limit MORE', { limitsPerMinute: { MORE: 1 } }],
])('reports a value for %s that is not declared in one line', (what, more) => {
  expect(() => bindingsOf(declare(DECLARED), { ...VALUES, ...more }, 'sync-dev')).toThrow(
    `infra/component/provision.ts gives ${what} a value, but worker/wrangler.toml does not declare it: add it there`,
  )
})

test.each([
  [
    'r2_buckets = [{ binding = "B", bucket_name = "b" }]',
    'has "r2_buckets", which infra/component/declaration.ts does not deploy',
  ],
  ['env = { prod = {} }', 'has "env", which infra/component/declaration.ts does not deploy'],
  ['observability = { enabled = "yes" }', 'observability.enabled: Invalid input: expected boolean'],
  [
    'observability = { enabled = true, logs = { enabled = true } }',
    'observability.logs.invocation_logs: Invalid input: expected boolean',
  ],
  ['observability = ', 'is not TOML'],
])('refuses %s in one line', (line, message) => {
  expect(() => declare(`${DECLARED}${line}\n`)).toThrow(`worker/wrangler.toml`)
  expect(() => declare(`${DECLARED}${line}\n`)).toThrow(message)
})

/** Tables of the declaration, each with a key that the program would not deploy. */
const UNKNOWN_KEYS: readonly [table: string, from: string, to: string][] = [
  ['secrets', 'required = ["KEY"]', 'required = ["KEY"], optional = []'],
  ['kv_namespaces.0', 'id = "x"', 'id = "x", preview_id = "y"'],
  ['durable_objects', 'durable_objects = { ', 'durable_objects = { more = 1, '],
  ['durable_objects.bindings.0', 'class_name = "Room"', 'class_name = "Room", script_name = "other"'],
  ['migrations.0', 'tag = "v1"', 'tag = "v1", transferred_classes = []'],
  [
    'migrations.0.renamed_classes.0',
    'tag = "v1"',
    'tag = "v1", renamed_classes = [{ from = "A", to = "B", more = 1 }]',
  ],
  ['ratelimits.0', 'namespace_id = "1"', 'namespace_id = "1", type = "x"'],
  ['ratelimits.0.simple', 'limit = 5', 'limit = 5, burst = 1'],
  ['analytics_engine_datasets.0', 'dataset = "data"', 'dataset = "data", more = 1'],
  [
    'observability',
    'ratelimits =',
    'observability = { enabled = true, more = 1, logs = LOGS }\nratelimits =',
  ],
  [
    'observability.logs',
    'ratelimits =',
    'observability = { enabled = true, logs = { enabled = true, invocation_logs = false, persist = true } }\nratelimits =',
  ],
  [
    'observability.traces',
    'ratelimits =',
    'observability = { enabled = true, logs = LOGS, traces = { enabled = true, persist = true } }\nratelimits =',
  ],
]

test.each(UNKNOWN_KEYS)('refuses an unknown key in %s', (table, from, to) => {
  const text = DECLARED.replace(from, to).replace('LOGS', '{ enabled = true, invocation_logs = false }')
  expect(text).not.toBe(DECLARED)
  expect(() => declare(text)).toThrow(`worker/wrangler.toml`)
  expect(() => declare(text)).toThrow(table)
})

test('fails the run of a program that lacks a declared secret with that line', async () => {
  const project = newProject()
  project.edit('worker/wrangler.toml', (text) => text.replace('"ADMIN_TOKEN", ', '"ADMIN_TOKEN", "PEPPER", '))
  await expect(project.up('dev')).rejects.toThrow(
    /^worker\/wrangler.toml declares the secret PEPPER, but infra\/component\/provision.ts gives it no value: add it there$/,
  )
})
