import { runtime } from '@pulumi/pulumi'
import { beforeEach, expect, test, vi } from 'vitest'
import { readSettings } from '../../infra/settings.ts'

const GOOD = {
  environment: 'production',
  hostname: 'sync.example.com',
  workersDev: 'false',
  corsOrigins: '["https://app.example.com"]',
  logSampling: '0.25',
  protect: 'true',
  routeRecord: 'false',
  smartPlacement: 'false',
  jurisdiction: 'none',
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

test('settings come typed, with what is optional left out', () => {
  expect(read({ ...GOOD, zoneId: '', syncRequestsPerMinute: '300' })).toEqual({
    accountId: '0123456789abcdef0123456789abcdef',
    environment: 'production',
    hostname: 'sync.example.com',
    workersDev: false,
    corsOrigins: ['https://app.example.com'],
    logSampling: 0.25,
    protect: true,
    routeRecord: false,
    smartPlacement: false,
    jurisdiction: 'none',
    masterKeys: [1],
    sessionKeys: [2, 1],
    adminTokens: [1],
    syncRequestsPerMinute: 300,
  })
})

test.each([
  [{ environment: '' }, 'sync:environment is missing, expected "development" or "production".'],
  [{ environment: 'staging' }, 'sync:environment is "staging", expected "development" or "production".'],
  [
    { hostname: '' },
    'sync:hostname is missing while workersDev is false and there is no route, expected a host name',
  ],
  [{ hostname: 'https://a.example' }, 'sync:hostname is "https://a.example", expected a host name'],
  [{ hostname: 'a.example:443' }, 'sync:hostname is "a.example:443", expected a host name'],
  [{ hostname: 'A.example' }, 'sync:hostname is "A.example", expected a host name in lower case'],
  [{ zoneId: 'example.com' }, 'sync:zoneId is "example.com", expected the 32 hex digits'],
  [
    { hostname: '', workersDev: 'true', zoneId: 'f'.repeat(32) },
    'sync:hostname is missing while zoneId is set',
  ],
  [{ workersDev: 'yes' }, 'sync:workersDev is "yes", expected true or false.'],
  [{ protect: '1' }, 'sync:protect is "1", expected true or false.'],
  [{ corsOrigins: 'https://a.example' }, 'sync:corsOrigins is "https://a.example", expected a list'],
  [{ corsOrigins: '["*"]' }, String.raw`sync:corsOrigins is "[\"*\"]", expected a list of exact origins.`],
  [{ corsOrigins: '["https://a.example/"]' }, 'expected a list of exact origins.'],
  [{ logSampling: '1.1' }, 'sync:logSampling is "1.1", expected a number from 0 to 1.'],
  [{ logSampling: 'all' }, 'sync:logSampling is "all", expected a number from 0 to 1.'],
  [{ syncRequestsPerMinute: '0' }, 'sync:syncRequestsPerMinute is "0", expected a whole number from 1.'],
  [{ authRequestsPerMinute: '1.5' }, 'sync:authRequestsPerMinute is "1.5", expected a whole number'],
  [
    { corsOrigin: '[]' },
    'sync:corsOrigin is not a setting, expected one of accountId, environment, hostname',
  ],
  [
    { accountId: 'me' },
    'sync:accountId is "me", expected 32 hex digits, here or in the environment variable',
  ],
])('%o gets one line that says what to write', (wrong, message) => {
  let thrown = ''
  try {
    read({ ...GOOD, ...wrong })
  } catch (error) {
    thrown = error instanceof Error ? error.message : ''
  }
  expect(thrown).toContain(message)
  expect(thrown.split('\n')).toHaveLength(1)
})

test('the account comes from the environment, unless the stack names its own', () => {
  expect(read({ ...GOOD, accountId: 'f'.repeat(32) }).accountId).toBe('f'.repeat(32))
  vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '')
  expect(() => read(GOOD)).toThrow(/^sync:accountId is missing, expected 32 hex digits[^\n]*$/)
})

test('several mistakes are told at once, a line each', () => {
  expect(() => read({ ...GOOD, protect: 'no', logSampling: '2' })).toThrow(
    /^sync:logSampling is "2".*Write in Pulumi\.prod\.yaml, for example: sync:logSampling: 0\.1\nsync:protect is "no"[^\n]*$/,
  )
})
