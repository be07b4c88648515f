import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtime } from '@pulumi/pulumi'
import { beforeEach, expect, test, vi } from 'vitest'
import { readStack, readStackSecrets } from '../../../infra/cli/stack-file.ts'
import { readSettings } from '../../../infra/program/settings.ts'
import { newProject } from '../../support/cloud/project.ts'

const project = newProject()
const ID = '0123456789abcdef0123456789abcdef'

beforeEach(() => {
  vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', ID)
  return () => vi.unstubAllEnvs()
})

/** Runs the program with this stack file. Returns the error message, or nothing if the file is right. */
function complaintsOf(file: string): string {
  writeFileSync(join(project.root, 'Pulumi.mine.yaml'), file)
  try {
    const { project: name, config } = readStack(project.root, 'mine', {})
    runtime.setAllConfig(config)
    readSettings(name, 'mine')
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Makes a right stack file, with these settings in place of its own. */
function fileWith(lines: string): string {
  const right = { environment: 'production', hostname: 'sync.example.com' }
  const given = lines.split('\n').map((line) => line.split(':')[0])
  const kept = Object.entries(right).filter(([key]) => !given.includes(key))
  const all = [...kept.map(([key, value]) => `${key}: ${value}`), ...lines.split('\n')]
  return `config:\n${all.map((line) => `  chronicle-sync:${line}\n`).join('')}`
}

test('accepts a stack file with the required settings, and uses defaults for the rest', () => {
  expect(complaintsOf(fileWith('protect: true'))).toBe('')
  expect(complaintsOf(fileWith('corsOrigins: [https://app.example.com]'))).toBe('')
})

const write = (key: string, example: string) =>
  ` Write in Pulumi.mine.yaml, for example: chronicle-sync:${key}: ${example}`

test.each([
  [
    'environment: staging',
    `environment is "staging", expected "development", or "production" for users.${write('environment', 'development')}`,
  ],
  [
    'environment: ""',
    `environment is missing, expected "development", or "production" for users.${write('environment', 'development')}`,
  ],
  [
    'hostname: ""',
    `hostname is missing while workersDev is false and there is no route, expected a host name in lower case, without scheme, port or path.${write('hostname', 'sync.example.com')}`,
  ],
  [
    'hostname: https://sync.example.com',
    'hostname is "https://sync.example.com", expected a host name in lower case, without scheme, port or path.',
  ],
  ['hostname: sync.example.com:443', 'hostname is "sync.example.com:443", expected a host name'],
  ['hostname: Sync.example.com', 'hostname is "Sync.example.com", expected a host name in lower case'],
  ['zoneId: example.com', 'zoneId is "example.com", expected the 32 hex digits of the Zone ID.'],
  [
    'accountId: acme',
    'accountId is "acme", expected 32 hex digits, here or in the environment variable CLOUDFLARE_ACCOUNT_ID.',
  ],
  [
    `zoneId: ${ID}\nroute: https://api.example.com/api/*`,
    'route is "https://api.example.com/api/*", expected a pattern of host and path, without scheme.',
  ],
  [
    'route: api.example.com/api/*',
    `zoneId is missing while route is set, expected the 32 hex digits of the Zone ID.${write('zoneId', ID)}`,
  ],
  [
    'routeRecord: true',
    `route is missing while routeRecord is true, expected a pattern of host and path, without scheme.${write('route', 'api.example.com/api/*')}`,
  ],
  ['workersDev: "yes"', `workersDev is "yes", expected true or false.${write('workersDev', 'true')}`],
  [
    'workersDevSubdomain: acme.workers.dev',
    'workersDevSubdomain is "acme.workers.dev", expected the first part of *.workers.dev in your account.',
  ],
  [
    'corsOrigins: https://app.example.com',
    'corsOrigins is "https://app.example.com", expected a list of exact origins: scheme, host and port with no slash after them, never "*" or "null".',
  ],
  ["corsOrigins: ['*']", String.raw`corsOrigins is "[\"*\"]", expected a list of exact origins: scheme`],
  [
    "corsOrigins: ['https://app.example.com/']",
    `corsOrigins is ${String.raw`"[\"https://app.example.com/\"]"`}, expected a list of exact origins: scheme, host and port with no slash after them, never "*" or "null".${write('corsOrigins', '["https://app.example.com"]')}`,
  ],
  ['logSampling: 10', 'logSampling is "10", expected a number from 0 to 1.'],
  [
    'jurisdiction: europe',
    `jurisdiction is "europe", expected "none", "eu", "fedramp" or "us".${write('jurisdiction', 'eu')}`,
  ],
  [
    'masterKeys: [1, 2]',
    `masterKeys is "[1,2]", expected a list of generations, newest first.${write('masterKeys', '[2, 1]')}`,
  ],
  ['sessionKeys: []', 'sessionKeys is "[]", expected a list of generations, newest first.'],
  ['adminTokens: 2', 'adminTokens is "2", expected a list of generations, newest first.'],
  ['syncRequestsPerMinute: 0', 'syncRequestsPerMinute is "0", expected a whole number from 1.'],
  ['protect: 1', 'protect is "1", expected true or false.'],
  ['corsOrigin: []', 'corsOrigin is not a setting, expected one of accountId, environment, hostname,'],
])('reports %s in one line with the key, the value found and what is expected', (lines, message) => {
  const complaints = complaintsOf(fileWith(lines))
  expect(complaints.split('\n')).toHaveLength(1)
  expect(complaints.startsWith(`chronicle-sync:${message}`), complaints).toBe(true)
})

test('reports several mistakes, a line each', () => {
  const complaints = complaintsOf(fileWith('protect: 1\nlogSampling: all\nhostname: x')).split('\n')
  expect(complaints).toHaveLength(3)
})

test.each([
  ['config: [1]', 'Pulumi.mine.yaml: config: Invalid input: expected record, received array'],
  ['config:\n  a: {', 'Pulumi.mine.yaml cannot be read: '],
  [
    'config:\n  chronicle-sync:hostname:\n    secure: v1:abc\n',
    'hostname is encrypted in Pulumi.mine.yaml and cannot be read here',
  ],
])('says why a file cannot be read: %s', (file, message) => {
  const complaints = complaintsOf(file)
  expect(complaints).toContain(message)
  expect(complaints.split('\n')).toHaveLength(1)
})

test('refuses to read an encrypted value, unless another one replaces it', () => {
  const { root, edit } = project
  edit(
    'Pulumi.dev.yaml',
    (text) => `encryptionsalt: v1:salt\n${text}  chronicle-sync:hostname:\n    secure: v1:x\n`,
  )
  expect(() => readStack(root, 'dev', {})).toThrow(
    /^chronicle-sync:hostname is encrypted in Pulumi\.dev\.yaml and /,
  )
  const { config } = readStack(root, 'dev', { hostname: 'sync.example.com' })
  expect(config['chronicle-sync:hostname']).toBe('sync.example.com')
  const encryptedKeys = ['chronicle-sync:hostname']
  expect(readStackSecrets(root, 'dev')).toEqual({ salt: 'v1:salt', hasKey: true, encryptedKeys })
  expect(readStackSecrets(root, 'prod')).toEqual({ salt: undefined, hasKey: false, encryptedKeys: [] })
})

test('reads a project that `pulumi new` has made, under another name', () => {
  const { root, edit } = newProject()
  edit('Pulumi.yaml', (text) =>
    text
      .replace('name: chronicle-sync', 'name: my-sync')
      .replace(/^config:$/m, 'config:\n  pulumi:tags:\n    value:\n      pulumi:template: somewhere'),
  )
  const { project, config } = readStack(root, 'dev', {})
  expect(project).toBe('my-sync')
  expect(config).toMatchObject({
    'my-sync:environment': 'development',
    'my-sync:workersDev': 'true',
    'pulumi:tags': '{"pulumi:template":"somewhere"}',
  })
})
