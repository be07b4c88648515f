import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Binding } from '../../../infra/component/bindings.ts'
import type { Migrations } from '../../../infra/component/migrations.ts'
import {
  type Account,
  createDomain,
  createNamespace,
  deleteScript,
  loadAccount,
  switchWorkersDev,
  uploadScript,
} from '../../../infra/local/cloud/account.ts'

const ROOM = 'class Room {}\nexport { Room }\nexport default {}'
const FIRST: Migrations = { newTag: 'v1', steps: [{ newSqliteClasses: ['Room'] }] }

function newAccount() {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-account-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const account: Account = loadAccount(folder)
  function upload(code: string, migrations?: Migrations, bindings: readonly Binding[] = []) {
    const metadata = { name: 'sync', compatibilityDate: '2026-10-20', compatibilityFlags: [], bindings }
    return uploadScript(account, { ...metadata, folder, code: Buffer.from(code) }, migrations)
  }
  return { account, folder, upload }
}

test('applies migrations in order, and keeps the objects of a renamed class', () => {
  const { upload } = newAccount()
  const { classes } = upload(ROOM, FIRST)
  const renamed = upload(ROOM.replace('{ Room }', '{ Room as Space }'), {
    oldTag: 'v1',
    newTag: 'v2',
    steps: [{ renamedClasses: [{ from: 'Room', to: 'Space' }] }],
  })
  expect(renamed.classes).toEqual({ Space: classes.Room })
  const deleted = upload('export default {}', {
    oldTag: 'v2',
    newTag: 'v3',
    steps: [{ deletedClasses: ['Space'] }],
  })
  expect(deleted).toMatchObject({ classes: {}, migrationTag: 'v3' })
  const again = upload(ROOM, { oldTag: 'v3', newTag: 'v4', steps: FIRST.steps })
  expect(again.classes.Room).not.toBe(classes.Room)
})

test.each<[string, string, Migrations | undefined, readonly Binding[]]>([
  ['status 412, code 10079', ROOM, FIRST, []],
  ['status 412, code 10074', ROOM, { ...FIRST, oldTag: 'v1', newTag: 'v2' }, []],
  ['status 400, code 10064', 'export default {}', undefined, []],
  [
    'status 400, code 10061',
    ROOM,
    undefined,
    [{ name: 'A', type: 'durable_object_namespace', className: 'Hall' }],
  ],
  ['status 400, code 10041', ROOM, undefined, [{ name: 'A', type: 'kv_namespace', namespaceId: 'nope' }]],
  ['status 400, code 10021', ROOM, undefined, [{ name: 'A', type: 'secret_text', text: '' }]],
])('refuses an upload with %s, and keeps the script', (refusal, code, migrations, bindings) => {
  const { account, upload } = newAccount()
  const before = upload(ROOM, FIRST)
  expect(() => upload(code, migrations, bindings)).toThrow(refusal)
  expect(account.scripts).toEqual([before])
})

test('refuses a name that is taken, missing or in use with the code of the real API', () => {
  const { account, folder, upload } = newAccount()
  createNamespace(account, 'title')
  expect(() => createNamespace(account, 'title')).toThrow('code 10014')
  createDomain(account, 'sync.example.com', 'sync')
  expect(() => createDomain(account, 'sync.example.com', 'sync')).toThrow('code 100116')
  expect(() => switchWorkersDev(account, 'sync', true)).toThrow('code 10007')
  upload(ROOM, FIRST)
  expect(() => deleteScript(account, folder, 'sync', false)).toThrow('code 10064')
  deleteScript(account, folder, 'sync', true)
  expect(account.scripts).toEqual([])
})
