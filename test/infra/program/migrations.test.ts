import { expect, test } from 'vitest'
import type { DeclaredMigration } from '../../../infra/component/declaration.ts'
import { pendingMigrations } from '../../../infra/component/migrations.ts'
import { isUntouched, lostSince } from '../../../infra/component/release.ts'

const DECLARED: readonly DeclaredMigration[] = [
  { tag: 'v1', new_sqlite_classes: ['Room'] },
  { tag: 'v2', renamed_classes: [{ from: 'Room', to: 'Space' }], deleted_classes: ['Old'] },
  { tag: 'v3', new_sqlite_classes: ['Index'] },
]
const MODIFIED_ON = '2026-11-23T08:00:00Z'

test('sends all steps if nothing is deployed', () => {
  expect(pendingMigrations(DECLARED, undefined)).toEqual({
    newTag: 'v3',
    steps: [
      { newSqliteClasses: ['Room'] },
      { renamedClasses: [{ from: 'Room', to: 'Space' }], deletedClasses: ['Old'] },
      { newSqliteClasses: ['Index'] },
    ],
  })
})

test('sends all steps if the deployed script has no tag', () => {
  const pending = pendingMigrations(DECLARED.slice(0, 1), { migrationTag: '', modifiedOn: MODIFIED_ON })
  expect(pending).toEqual({ newTag: 'v1', steps: [{ newSqliteClasses: ['Room'] }] })
})

test('sends only the steps after the deployed tag', () => {
  expect(pendingMigrations(DECLARED, { migrationTag: 'v2', modifiedOn: MODIFIED_ON })).toEqual({
    oldTag: 'v2',
    newTag: 'v3',
    steps: [{ newSqliteClasses: ['Index'] }],
  })
})

test('sends no step at the last tag, or if none is declared', () => {
  expect(pendingMigrations(DECLARED, { migrationTag: 'v3', modifiedOn: MODIFIED_ON })).toBeUndefined()
  expect(pendingMigrations([], undefined)).toBeUndefined()
})

test('refuses a checkout that does not declare the deployed tag', () => {
  expect(() => pendingMigrations(DECLARED, { migrationTag: 'v4', modifiedOn: MODIFIED_ON })).toThrow(
    'the deployed script is at migration "v4", which worker/wrangler.toml does not list: deploy a checkout that has it',
  )
})

test('takes a release as untouched while inputs and upload time are its own, to the second', () => {
  const release = { digest: 'a', modifiedOn: '2026-11-23T08:00:00.714Z' }
  expect(isUntouched(release, 'a', { modifiedOn: MODIFIED_ON })).toBe(true)
  expect(isUntouched(release, 'b', { modifiedOn: MODIFIED_ON })).toBe(false)
  expect(isUntouched(release, 'a', { modifiedOn: '2026-11-23T08:00:01Z' })).toBe(false)
})

test('lists only what a release takes away from the last one', () => {
  const now = { jurisdiction: 'eu', masterKeys: [3, 2], sweptMasterKey: 0 }
  expect(lostSince(undefined, now)).toEqual({})
  expect(lostSince({ jurisdiction: 'eu', masterKeys: [2] }, now)).toEqual({})
  expect(lostSince({ jurisdiction: 'us', masterKeys: [2, 1] }, now)).toEqual({
    jurisdiction: 'us',
    masterKeys: [1],
  })
  expect(lostSince({ jurisdiction: 'eu', masterKeys: [2, 1] }, { ...now, sweptMasterKey: 2 })).toEqual({})
  expect(lostSince({ masterKeys: [4, 3] }, { ...now, sweptMasterKey: 3 }).masterKeys).toEqual([4])
  expect(lostSince({ digest: 'of a first release' }, now)).toEqual({ jurisdiction: 'none', masterKeys: [1] })
})
