import { globSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeNoTest, testsAt } from '../../support/test-paths.ts'

const FILES = [
  'test/unit/batch/plan.test.ts',
  'test/unit/values/ring.test.ts',
  'test/worker/live.test.ts',
  'test/worker/push/plan.test.ts',
]

test.each([
  'test/unit/batch/plan.test.ts',
  './test/unit/batch/plan.test.ts',
  'worker/',
  'batch/plan',
  'live.test.ts:12',
])('npm test -- %s runs the files that the path matches', (path) => {
  expect(testsAt(path, FILES)).toEqual({ paths: [path] })
})

test.each([
  'worker/src/core/plan.test.ts',
  'worker/src/core/batch/plan.ts',
  'worker/src/core/batch/plan.ts',
  './worker/src/core/batch/plan.ts:7',
])('npm test -- %s runs the tests that are named after the source, and says so', (path) => {
  const paths = ['test/unit/batch/plan.test.ts', 'test/worker/push/plan.test.ts']
  const notice = `${path} is not a test file; running ${paths.join(', ')}`
  expect(testsAt(path, FILES)).toEqual({ paths, notice })
})

test('npm test -- worker/src/core/batch/plan.ts finds the tests of this repository', () => {
  const chosen = testsAt('worker/src/core/batch/plan.ts', globSync('test/**/*.test.ts'))
  expect(chosen?.paths).toContain('test/unit/batch/plan.test.ts')
})

test.each(['worker/src/core', 'nonsense/', 'worker/src/core/ple.ts'])(
  'npm test -- %s names the folders and shows how to name a test',
  (path) => {
    expect(testsAt(path, FILES)).toBeNull()
    expect(describeNoTest(path, FILES)).toMatch(
      new RegExp(
        `^Error: no test file matches ${path}. Tests are in test/unit, test/worker.\nRun one file: `,
      ),
    )
  },
)
