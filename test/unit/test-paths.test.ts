import { expect, test } from 'vitest'
import { describeNoTest, testsAt } from '../support/test-paths.ts'

const FILES = [
  'test/unit/plan.test.ts',
  'test/unit/ring.test.ts',
  'test/worker/live.test.ts',
  'test/worker/plan.test.ts',
  'test/worker/seal/rotation.test.ts',
  'test/worker/seal/storage.test.ts',
]

test.each(['test/unit/plan.test.ts', './test/unit/plan.test.ts', 'worker/', 'unit/plan', 'live.test.ts:12'])(
  'npm test -- %s runs what it matches',
  (path) => {
    expect(testsAt(path, FILES)).toEqual({ paths: [path] })
  },
)

test.each([
  'worker/src/core/plan.test.ts',
  'worker/src/core/batch/plan.ts',
  './worker/src/core/batch/plan.ts:7',
])('npm test -- %s runs the tests that are named after it, and says so', (path) => {
  const paths = ['test/unit/plan.test.ts', 'test/worker/plan.test.ts']
  const notice = `${path} is no test file; running ${paths.join(', ')}`
  expect(testsAt(path, FILES)).toEqual({ paths, notice })
})

test('npm test -- worker/src/objects/seal.ts runs the tests in a folder of its name', () => {
  const paths = ['test/worker/seal/rotation.test.ts', 'test/worker/seal/storage.test.ts']
  expect(testsAt('worker/src/objects/seal.ts', FILES)?.paths).toEqual(paths)
})

test.each(['worker/src/core', 'nonsense/', 'worker/src/core/ple.ts'])(
  'npm test -- %s says what to do',
  (path) => {
    expect(testsAt(path, FILES)).toBeNull()
    expect(describeNoTest(path, FILES)).toMatch(
      new RegExp(
        `^Error: no test file matches ${path}. Tests are in test/unit, test/worker, test/worker/seal.\nRun one file: `,
      ),
    )
  },
)
