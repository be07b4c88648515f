import { basename, dirname } from 'node:path'

/** What stands in place of one argument of `npm test`, and what to say of it. */
export interface Chosen {
  readonly paths: readonly string[]
  readonly notice?: string
}

/**
 * The test files that a path means: those whose path contains it, otherwise those that are named after the source or lie
 * in a folder of its name. Null if there are none.
 */
export function testsAt(path: string, files: readonly string[]): Chosen | null {
  const sought = path.replace(/^\.\//, '').replace(/:\d+$/, '')
  if (files.some((file) => file.includes(sought))) return { paths: [path] }
  const name = basename(sought).replace(/(\.test)?\.ts$/, '')
  const paths = files.filter((file) => file.endsWith(`/${name}.test.ts`) || isIn(name, file))
  if (paths.length === 0) return null
  return { paths, notice: `${path} is no test file; running ${paths.join(', ')}` }
}

/** What to do where a path means no test. */
export function describeNoTest(path: string, files: readonly string[]): string {
  const folders = [...new Set(files.map((file) => file.slice(0, file.lastIndexOf('/'))))].sort()
  return [
    `Error: no test file matches ${path}. Tests are in ${folders.join(', ')}.`,
    'Run one file:              npm test -- test/unit/plan.test.ts',
    'all whose path has a text: npm test -- worker/live',
    'or one project:            npm test -- --project worker',
  ].join('\n')
}

/** Whether a file lies directly in a folder of this name. */
function isIn(name: string, file: string): boolean {
  return basename(dirname(file)) === name
}
