import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { physicalNames, rateLimitNamespaceId } from '../../../infra/component/names.ts'
import { bundleWorker } from '../../../infra/program/bundle.ts'
import { newProject } from '../../support/cloud/project.ts'

test('makes equal bytes of equal sources, in any folder', async () => {
  const [one, other] = [newProject(), newProject()]
  const first = await bundleWorker(one.root, 'src/index.ts')
  const second = await bundleWorker(other.root, 'src/index.ts')
  expect(second.contentSha256).toBe(first.contentSha256)
  const written = readFileSync(join(one.root, 'dist/worker.js'))
  expect(createHash('sha256').update(written).digest('hex')).toBe(first.contentSha256)
  expect(written.toString()).not.toMatch(/sourceMappingURL|chronicle-infra-/)
})

test('keeps the class names of errors in the bundle', async () => {
  const project = newProject()
  project.edit('worker/src/index.ts', () => 'export class TeapotError extends Error {}\nexport default {}')
  const { bytes } = await bundleWorker(project.root, 'src/index.ts')
  const module = await import(`data:text/javascript,${encodeURIComponent(Buffer.from(bytes).toString())}`)
  expect(module.TeapotError.name).toBe('TeapotError')
})

test('reports a source that does not bundle in one line with its position', async () => {
  const project = newProject()
  project.edit('worker/src/index.ts', () => "import './missing.ts'\nexport default {}")
  await expect(bundleWorker(project.root, 'src/index.ts')).rejects.toThrow(
    /^worker\/src\/index\.ts:1:8: Could not resolve "\.\/missing\.ts"$/,
  )
})

test('puts the stack into every name, so that two stacks share nothing', () => {
  expect(physicalNames('sync', 'pr-7')).toEqual({
    scriptName: 'sync-pr-7',
    namespaceTitle: 'sync-pr-7-metadata',
    dataset: 'sync_pr_7',
  })
  expect(rateLimitNamespaceId('sync-dev', 'LIMIT')).not.toBe(rateLimitNamespaceId('sync-prod', 'LIMIT'))
  expect(() => physicalNames('sync', 'My.Stack')).toThrow('stack "My.Stack" would name the script')
})
