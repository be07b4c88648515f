import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { lastRelease } from '../integration/release.ts'
import { newStack, pulumiTest } from './stack.ts'

const NOW = ['Pulumi.yaml', 'package.json', 'package-lock.json', 'tsconfig.json', 'infra', 'worker', 'docs']
const ROOT = join(import.meta.dirname, '../..')

pulumiTest('continues every resource of a stack that the last release has deployed', async ({ skip }) => {
  const release = lastRelease()
  if (release === null) return skip('the history of this checkout does not reach back to the last release')
  const stack = await newStack()
  const { root } = stack.project
  for (const name of ['Pulumi.yaml', 'package.json', 'infra', 'worker']) {
    cpSync(join(release.root, name), join(root, name), { recursive: true })
  }
  release.remove()
  const old = await stack.up()
  expect(old.code, old.printed).toBe(0)

  for (const name of NOW) cpSync(join(ROOT, name), join(root, name), { recursive: true })
  const preview = await stack.preview()
  expect(preview.printed).toMatch(/Resources:\n {4}~ 1 to update\n {4}\d+ unchanged\n/)
  const upgraded = await stack.up()
  expect(upgraded.code, upgraded.printed).toBe(0)
  expect(stack.writes()).toEqual(['PUT /workers/scripts/chronicle-sync-dev'])
  const settled = await stack.preview('--expect-no-changes')
  expect(settled.code, settled.printed).toBe(0)
})
