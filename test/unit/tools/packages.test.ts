import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import root from '../../../package.json' with { type: 'json' }
import worker from '../../../worker/package.json' with { type: 'json' }

/** The packages that a source file imports: `zod` for `zod/mini`. */
function packagesOf(file: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'))
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !/^(?:\.|node:|cloudflare:)/.test(name))
    .map((name) => name.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1'))
}

test('worker/package.json lists the packages that the Worker imports, and no others', () => {
  const imported = new Set(globSync('worker/src/**/*.ts').flatMap(packagesOf))
  expect([...imported].sort()).toEqual(Object.keys(worker.dependencies).sort())
})

test('a package of the Worker that a tool or a test imports too has one exact version', () => {
  const tools: Record<string, string> = { ...root.dependencies, ...root.devDependencies }
  for (const [name, version] of Object.entries(worker.dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    if (name in tools) expect(tools[name], name).toBe(version)
  }
})
