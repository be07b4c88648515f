// `npm test`: runs vitest, once each path that it is given is known to mean a test. `npm run test:quick` is the inner
// loop: `--quick` leaves out whole projects and slow files.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseCLI } from 'vitest/node'
import { describeNoTest, testsAt } from './support/test-paths.ts'

const ROOT = join(import.meta.dirname, '..')

const QUICK_PROJECTS = ['unit', 'worker', 'simulation']

/** Files of these projects that take more than two seconds. */
const SLOW = [
  'test/unit/batch/decision*',
  'test/worker/*/{budgets,compaction,export,feed,frames,histories,import,policies,pushes,records,tokens,upkeep}*',
  'test/simulation/{devices,histories,planted}*',
]

const files = globSync('test/**/*.test.ts', { cwd: ROOT, exclude: ['**/node_modules/**'] })
const isQuick = process.argv.includes('--quick')
const given = process.argv.slice(2).filter((argument) => argument !== '--quick')
const { filter, options } = parseCLI(['vitest', 'run', ...given])
const passed = given.flatMap((argument) => (filter.includes(argument) ? pathsFor(argument) : [argument]))

function pathsFor(argument: string): readonly string[] {
  const chosen = testsAt(argument, files)
  if (chosen === null) {
    console.error(describeNoTest(argument, files))
    process.exit(1)
  }
  if (chosen.notice) console.log(chosen.notice)
  return chosen.paths
}

// The modules of the runner are compiled once for all its processes, and for the next run.
process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, 'node_modules/.cache/chronicle-sync')

const quick = [
  ...QUICK_PROJECTS.flatMap((name) => ['--project', name]),
  ...SLOW.flatMap((glob) => ['--exclude', glob]),
]
// Browsers would take the other tests past five minutes. `npm run test:browser` runs theirs, and .ci/run does.
const whole = filter.length === 0 && options.project === undefined ? ['--project', '!browser'] : []
process.argv.splice(2, process.argv.length, 'run', ...passed, ...(isQuick ? quick : whole))
await import('../node_modules/vitest/vitest.mjs' as string)
