import { expect, test } from 'vitest'
import { createToken, type TokenNeeds, tokenLink } from '../../infra/doctor/token-link.ts'
import { ACCOUNT, ZONE } from './fake-api.ts'

const DEV: TokenNeeds = {
  stack: 'dev',
  accountId: undefined,
  hostname: undefined,
  zoneId: undefined,
  route: undefined,
  keepsStateInR2: false,
}
const ALWAYS = ['workers_scripts edit', 'workers_kv_storage edit', 'account_settings read']

function permissions(needs: Partial<TokenNeeds>): readonly string[] {
  const keys = new URL(tokenLink({ ...DEV, ...needs })).searchParams.get('permissionGroupKeys')
  return JSON.parse(keys ?? '').map(({ key, type }: { key: string; type: string }) => `${key} ${type}`)
}

test('asks for what the stack needs and for nothing else', () => {
  const route = { host: 'api.example.com', needsRecord: false }
  expect(permissions({})).toEqual(ALWAYS)
  expect(permissions({ accountId: ACCOUNT })).toEqual(ALWAYS)
  expect(permissions({ accountId: ACCOUNT, hostname: 'sync.example.com' })).toEqual([...ALWAYS, 'zone read'])
  expect(permissions({ accountId: ACCOUNT, route })).toEqual([...ALWAYS, 'zone read', 'workers_routes edit'])
  expect(permissions({ accountId: ACCOUNT, route: { ...route, needsRecord: true } })).toEqual([
    ...ALWAYS,
    'zone read',
    'workers_routes edit',
    'dns edit',
  ])
  expect(permissions({ accountId: ACCOUNT, keepsStateInR2: true })).toEqual([...ALWAYS, 'workers_r2 edit'])
})

test('restricts the token to the account and the zone of the stack if they are known', () => {
  const fields = (needs: Partial<TokenNeeds>) => {
    const { origin, pathname, searchParams } = new URL(tokenLink({ ...DEV, ...needs }))
    const [accountId, zoneId, name] = ['accountId', 'zoneId', 'name'].map((key) => searchParams.get(key))
    return { form: origin + pathname, accountId, zoneId, name }
  }
  const form = 'https://dash.cloudflare.com/profile/api-tokens'
  expect(fields({})).toEqual({ form, accountId: '*', zoneId: 'all', name: 'chronicle-sync-dev' })
  expect(fields({ stack: 'prod', accountId: ACCOUNT, zoneId: ZONE.id })).toEqual({
    form,
    accountId: ACCOUNT,
    zoneId: ZONE.id,
    name: 'chronicle-sync-prod',
  })
})

test('can be clicked or pasted: the link has no character that a terminal or a shell would end it at', () => {
  const [link = ''] = /https:\S+/.exec(createToken({ ...DEV, hostname: 'sync.example.com' })) ?? []
  expect(link).toMatch(/^https:\/\/dash\.cloudflare\.com\/profile\/api-tokens\?[\w%.=&*+-]+$/)
  expect(JSON.parse(new URL(link).searchParams.get('permissionGroupKeys') ?? '')).toHaveLength(4)
})
