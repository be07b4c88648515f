import { basename, dirname } from 'node:path'

/** Paths that vitest gets in place of one argument of `npm test`. */
export interface Chosen {
  readonly paths: readonly string[]
  /** Message for an argument that was translated. */
  readonly notice?: string
}

/**
 * Finds the test files that a path means: files whose path contains the text. Without such a file, finds tests named
 * after the source file, in any folder, and tests in a folder of its name. Returns null if nothing matches.
 */
export function testsAt(path: string, files: readonly string[]): Chosen | null {
  const sought = path.replace(/^\.\//, '').replace(/:\d+$/, '')
  if (files.some((file) => file.includes(sought))) return { paths: [path] }
  const name = basename(sought).replace(/(\.test)?\.ts$/, '')
  const paths = files.filter((file) => basename(file) === `${name}.test.ts` || isIn(name, file))
  if (paths.length === 0) return null
  return { paths, notice: `${path} is not a test file; running ${paths.join(', ')}` }
}

/** Tells the caller how to name a test, after a path that matched none. */
export function describeNoTest(path: string, files: readonly string[]): string {
  const folders = [...new Set(files.map((file) => file.split('/').slice(0, 2).join('/')))].sort()
  return [
    `Error: no test file matches ${path}. Tests are in ${folders.join(', ')}.`,
    'Run one file:              npm test -- test/unit/batch/plan.test.ts',
    'all whose path has a text: npm test -- worker/live',
    'or one project:            npm test -- --project worker',
  ].join('\n')
}

/** Whether a file lies directly in a folder of this name. */
function isIn(name: string, file: string): boolean {
  return basename(dirname(file)) === name
}
