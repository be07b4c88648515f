import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadAccount } from '../../../infra/local/cloud/account.ts'
import { applyGoal, previewGoal, removeResource } from '../../../infra/local/engine/apply.ts'
import { type Goal, toResource } from '../../../infra/local/engine/goal.ts'
import type { Properties } from '../../../infra/local/engine/properties.ts'
import type { Cloud } from '../../../infra/local/engine/providers.ts'
import type { Resource } from '../../../infra/local/engine/state.ts'

const NAMESPACE = 'cloudflare:index/workersKvNamespace:WorkersKvNamespace'
const ROUTE = 'cloudflare:index/workersRoute:WorkersRoute'
const SCRIPT = 'cloudflare:index/workersScript:WorkersScript'

function newCloud(): Cloud {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-apply-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { account: loadAccount(folder), folder, programFolder: folder }
}

function goalOf(type: string, inputs: Properties, more: Partial<Goal> = {}): Goal {
  return {
    type,
    name: 'tested',
    parent: '',
    custom: true,
    inputs,
    protect: false,
    retainOnDelete: false,
    deleteBeforeReplace: false,
    dependencies: [],
    secretOutputs: [],
    aliases: [],
    ...more,
  }
}

/** Applies a goal over the resource of an earlier goal. */
function apply(cloud: Cloud, goal: Goal, old?: Resource) {
  const { diff, ...made } = applyGoal(cloud, goal, old)
  return { diff, resource: { ...toResource(goal, { project: 'p', stack: 's' }), ...made } }
}

const titlesOf = ({ account }: Cloud) => account.namespaces.map(({ title }) => title)

test('makes a replacement beside the old resource, which is deleted at the end of the run', () => {
  const cloud = newCloud()
  const { resource } = apply(cloud, goalOf(NAMESPACE, { accountId: 'a', title: 'old' }))
  const replaced = apply(cloud, goalOf(NAMESPACE, { accountId: 'b', title: 'new' }), resource)
  expect(replaced.diff.operation).toBe('replace')
  expect(titlesOf(cloud)).toEqual(['old', 'new'])
  removeResource(cloud, resource)
  expect(titlesOf(cloud)).toEqual(['new'])
})

test('deletes the old resource first if the goal says so, because a name must be unique', () => {
  const cloud = newCloud()
  const inPlace = { deleteBeforeReplace: true }
  const { resource } = apply(cloud, goalOf(NAMESPACE, { accountId: 'a', title: 'name' }, inPlace))
  const replaced = apply(cloud, goalOf(NAMESPACE, { accountId: 'b', title: 'name' }, inPlace), resource)
  expect(replaced.diff.operation).toBe('replace')
  expect(titlesOf(cloud)).toEqual(['name'])
  expect(replaced.resource.id).not.toBe(resource.id)
})

test('updates a route of the account, and keeps its id', () => {
  const cloud = newCloud()
  const inputs = { zoneId: 'z', pattern: 'a.example/*', script: 's' }
  cloud.account.scripts = []
  const { resource } = apply(cloud, goalOf(ROUTE, inputs))
  const changed = apply(cloud, goalOf(ROUTE, { ...inputs, pattern: 'b.example/*' }), resource)
  expect(changed.diff.operation).toBe('update')
  expect(changed.resource.id).toBe(resource.id)
  expect(cloud.account.routes).toMatchObject([{ id: resource.id, pattern: 'b.example/*', script: 's' }])
})

test('refuses a script whose code does not match its digest, also in a preview', () => {
  const cloud = newCloud()
  writeFileSync(join(cloud.folder, 'worker.js'), 'export default {}')
  const contentSha256 = createHash('sha256').update('something else').digest('hex')
  const inputs = { contentFile: 'worker.js', contentSha256, accountId: 'a', scriptName: 's' }
  const goal = goalOf(SCRIPT, { ...inputs, compatibilityDate: '2026-10-20' })
  const refusal = /^contentSha256 is [0-9a-f]{64}, but worker\.js has [0-9a-f]{64}$/
  expect(() => previewGoal(cloud, goal, undefined)).toThrow(refusal)
  expect(() => applyGoal(cloud, goal, undefined)).toThrow(refusal)
  expect(cloud.account.scripts).toEqual([])
})
