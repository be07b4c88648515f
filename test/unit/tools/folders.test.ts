import { expect, test } from 'vitest'
import { crossings, folderCycles, fullFolders, isLong } from '../../../.ci/folders.ts'

const cyclesOf = (files: Record<string, string>) =>
  folderCycles(Object.entries(files).flatMap(([path, text]) => crossings(path, text))).map((cycle) =>
    cycle.map(({ from, to }) => `${from} ${to}`),
  )

test('finds a cycle of a folder and its subfolder, through files that have none', () => {
  const files = {
    'core/batch.ts': "import { seal } from './log/seal.ts'",
    'core/key.ts': '',
    'core/log/seal.ts': '',
    'core/log/rows.ts': "import { key } from '../key.ts'",
  }
  expect(cyclesOf(files)).toEqual([['core/batch.ts core/log/seal.ts', 'core/log/rows.ts core/key.ts']])
})

test.each([
  ['a type', "import type { B } from '../b/b.ts'"],
  ['a type in a list', "import { type B } from '../b/b.ts'"],
  ['a type in place', "type B = import('../b/b.ts').B"],
  ['an import at run time', "const b = await import('../b/b.ts')"],
  ['an export', "export { b } from '../b/b.ts'"],
  ['a side effect', "import '../b/b.ts'"],
])('finds a cycle of three folders that is closed by %s', (_, closing) => {
  const files = {
    'a/a.ts': closing,
    'b/b.ts': "import { c } from '../c/c.ts'",
    'c/c.ts': "import { a } from '../a/other.ts'",
    'd/d.ts': "import { a } from '../a/a.ts'",
  }
  expect(cyclesOf(files)).toEqual([['a/a.ts b/b.ts', 'b/b.ts c/c.ts', 'c/c.ts a/other.ts']])
})

test('accepts folders that import in one direction, and packages', () => {
  const files = {
    'a/a.ts': "import { z } from 'zod'\nimport { b } from './b/b.ts'",
    'a/c/c.ts': "import { b } from '../b/b.ts'\nimport { d } from './d.ts'",
  }
  expect(cyclesOf(files)).toEqual([])
})

test('counts the files of a folder without those of its subfolders', () => {
  expect(fullFolders(['a/1', 'a/2', 'a/3', 'a/b/1', 'a/b/2'], 2)).toEqual([['a', 3]])
})

test.each([
  ['worker/src/a.ts', 300],
  ['test/unit/a.test.ts', 400],
])('finds that %s is longer than %i lines', (path, most) => {
  expect(isLong(path, '// a line\n'.repeat(most))).toBe(false)
  expect(isLong(path, '// a line\n'.repeat(most + 1))).toBe(true)
})
