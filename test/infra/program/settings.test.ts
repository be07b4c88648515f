import { runtime } from '@pulumi/pulumi'
import { beforeEach, expect, test, vi } from 'vitest'
import { readSettings } from '../../../infra/program/settings.ts'

const GOOD = {
  environment: 'production',
  hostname: 'sync.example.com',
  workersDev: 'false',
  corsOrigins: '["https://app.example.com"]',
  logSampling: '0.25',
  protect: 'true',
  routeRecord: 'false',
  jurisdiction: 'none',
  keyNames: 'clear',
  masterKeys: '[1]',
  sessionKeys: '[2,1]',
  adminTokens: '[1]',
}

beforeEach(() => {
  vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '0123456789abcdef0123456789abcdef')
  return () => vi.unstubAllEnvs()
})

function read(values: Readonly<Record<string, string>>) {
  const config = Object.entries(values).map(([key, value]) => [
    key.includes(':') ? key : `sync:${key}`,
    value,
  ])
  runtime.setAllConfig(Object.fromEntries(config))
  return readSettings('sync', 'prod')
}

test('returns typed settings, without optional ones that are not set', () => {
  expect(read({ ...GOOD, zoneId: '', syncRequestsPerMinute: '300' })).toEqual({
    accountId: '0123456789abcdef0123456789abcdef',
    environment: 'production',
    hostname: 'sync.example.com',
    workersDev: false,
    corsOrigins: ['https://app.example.com'],
    logSampling: 0.25,
    logDestinations: [],
    traceSampling: 0,
    traceDestinations: [],
    protect: true,
    routeRecord: false,
    jurisdiction: 'none',
    keyNames: 'clear',
    masterKeys: [1],
    sessionKeys: [2, 1],
    adminTokens: [1],
    syncRequestsPerMinute: 300,
  })
})

test('takes the account from the environment, unless the stack names its own', () => {
  expect(read({ ...GOOD, accountId: 'f'.repeat(32) }).accountId).toBe('f'.repeat(32))
  vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '')
  expect(() => read(GOOD)).toThrow(/^sync:accountId is missing, expected 32 hex digits[^\n]*$/)
})

test('returns the share of traces and the destinations of a stack', () => {
  const traced = {
    traceSampling: '0.05',
    traceDestinations: '["tempo"]',
    logDestinations: '["loki", "archive"]',
  }
  expect(read({ ...GOOD, ...traced })).toMatchObject({
    traceSampling: 0.05,
    traceDestinations: ['tempo'],
    logDestinations: ['loki', 'archive'],
  })
  expect(() => read({ ...GOOD, traceDestinations: 'tempo', logDestinations: '[""]' })).toThrow(
    /^sync:logDestinations is "\[\\"\\"\]", expected a list of destinations that the dashboard has [^\n]*\nsync:traceDestinations is "tempo", [^\n]*$/,
  )
})

test('refuses traces, which hold URLs, in a stack that hides the keys of entries', () => {
  const hidden = { ...GOOD, keyNames: 'keyed' }
  expect(read(hidden).traceSampling).toBe(0)
  expect(() => read({ ...hidden, traceSampling: '0.01' })).toThrow(
    /^sync:traceSampling is 0\.01 while keyNames is "keyed", expected 0, because traces show the keys of entries in URLs\. Write in Pulumi\.prod\.yaml, for example: sync:traceSampling: 0$/,
  )
})

test('refuses a swept master key that is not listed', () => {
  expect(read({ ...GOOD, masterKeys: '[2,1]', sweptMasterKey: '2' }).sweptMasterKey).toBe(2)
  expect(() => read({ ...GOOD, masterKeys: '[2,1]', sweptMasterKey: '3' })).toThrow(
    /^sync:sweptMasterKey is 3 while the newest of masterKeys is 2, expected the generation that npm run sweep reported, /,
  )
})

test('accepts the origins that pages of apps and extensions send', () => {
  const origins = [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://obsidian.md',
    'app://localhost:8080',
    `chrome-extension://${'a'.repeat(32)}`,
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'https://xn--pp-7ka.example:8443',
  ]
  expect(read({ ...GOOD, corsOrigins: JSON.stringify(origins) }).corsOrigins).toEqual(origins)
})

test.each([
  'null',
  '*',
  'file://',
  'file://host',
  'about://blank',
  'blob:https://app.example.com',
  'data://x',
  'ftp://app.example.com',
  'wss://app.example.com',
  'capacitor://',
  'capacitor:localhost',
  'capacitor://localhost/',
  'capacitor://user@localhost',
  'capacitor://localhost?x',
  'capacitor://localhost#x',
  'capacitor://*',
  'capacitor://local host',
  'capacitor://localhost, tauri://localhost',
  'CAPACITOR://localhost',
  'http://localhost:80',
  'http://LOCALHOST',
  '://localhost',
  '',
])('refuses %s as an origin', (origin) => {
  expect(() => read({ ...GOOD, corsOrigins: JSON.stringify([origin]) })).toThrow(
    /^sync:corsOrigins is .*, expected a list of exact origins: scheme, host and port with no slash after them, /,
  )
})

test('reports several mistakes at once, a line each', () => {
  expect(() => read({ ...GOOD, protect: 'no', logSampling: '2' })).toThrow(
    /^sync:logSampling is "2".*Write in Pulumi\.prod\.yaml, for example: sync:logSampling: 1\nsync:protect is "no"[^\n]*$/,
  )
})
