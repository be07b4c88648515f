import { basename } from 'node:path'

/** The paths that vitest gets in place of one argument of `npm test`. */
export interface Chosen {
  readonly paths: readonly string[]
  /** Printed where the argument was translated. */
  readonly notice?: string
}

/**
 * Finds the test files that a path means: all whose path contains the text, or, if there are none, all that are named
 * after the source file, in any folder. Null if nothing matches.
 */
export function testsAt(path: string, files: readonly string[]): Chosen | null {
  const sought = path.replace(/^\.\//, '').replace(/:\d+$/, '')
  if (files.some((file) => file.includes(sought))) return { paths: [path] }
  const name = `${basename(sought).replace(/(\.test)?\.ts$/, '')}.test.ts`
  const paths = files.filter((file) => basename(file) === name)
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
