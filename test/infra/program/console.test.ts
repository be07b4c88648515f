import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildConsole } from '../../../infra/program/console.ts'
import { newProject } from '../../support/cloud/project.ts'

/** The limit of the whole console, gzipped: a page for a slow line. */
const MAX_GZIPPED_BYTES = 60_000

test('makes equal bytes of equal sources, in any folder, and names no folder of this machine', async () => {
  const [one, other] = [newProject(), newProject()]
  const files = await buildConsole(one.root)
  expect([...files.keys()].sort()).toEqual([
    '/console/console.css',
    '/console/console.js',
    '/console/index.html',
  ])
  expect(await buildConsole(other.root)).toEqual(files)
  const text = Buffer.concat([...files.values()]).toString()
  expect(text).not.toMatch(/sourceMappingURL|chronicle-infra-/)
})

test('keeps the whole console under its limit', async () => {
  const files = await buildConsole(process.cwd())
  const sizes = [...files].map(([path, bytes]) => [path, gzipSync(bytes, { level: 9 }).length] as const)
  const total = sizes.reduce((sum, [, size]) => sum + size, 0)
  expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(MAX_GZIPPED_BYTES)
})

test.each([
  [
    'console/src/main.ts',
    "import './missing.ts'",
    /^console\/src\/main\.ts:1:8: Could not resolve ".\/missing.ts"$/,
  ],
  ['console/src/main.ts', 'const = 1', /^console\/src\/main\.ts:1:7: Expected identifier but found "="$/],
  [
    'console/style.css',
    "@import './missing.css';",
    /^console\/style\.css:1:9: Could not resolve ".\/missing.css"$/,
  ],
])('reports a mistake in %s in one line with its position: %s', async (file, text, message) => {
  const project = newProject()
  project.edit(file, () => text)
  await expect(buildConsole(project.root)).rejects.toThrow(message)
})
