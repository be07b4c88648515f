import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
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

test('finds the line behind a position of the bundle in the source map', async () => {
  const project = newProject()
  const source = 'export default {}\nexport const boil = (pot: Error) => {\n  throw pot\n}\n'
  project.edit('worker/src/index.ts', () => source)
  const { bytes } = await bundleWorker(project.root, 'src/index.ts')
  const column = Buffer.from(bytes).toString().indexOf('throw') + 1
  const map = new SourceMap(JSON.parse(readFileSync(join(project.root, 'dist/worker.js.map'), 'utf8')))
  expect(map.findOrigin(1, column)).toMatchObject({ fileName: '../worker/src/index.ts', lineNumber: 3 })
})

test('finds a name of its own in every error class of the Worker, because the bundle renames classes', () => {
  const sources = globSync('worker/src/**/*.ts').map((file) => readFileSync(file, 'utf8'))
  const classes = sources.flatMap((source) => [...source.matchAll(/class \w+ extends Error \{.*?$/gms)])
  expect(classes.length).toBeGreaterThan(1)
  const nameless = /class (\w+) extends Error \{(?!\n {2}override readonly name(?:: string)? = '\1'\n)/
  expect(sources.filter((source) => nameless.test(source))).toEqual([])
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
