// `npm test`: vitest, once each path that it is given is known to mean a test.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseCLI } from 'vitest/node'
import { describeNoTest, testsAt } from './support/test-paths.ts'

const ROOT = join(import.meta.dirname, '..')

const files = globSync('test/**/*.test.ts', { cwd: ROOT, exclude: ['**/node_modules/**'] })
const given = process.argv.slice(2)
const { filter } = parseCLI(['vitest', 'run', ...given])
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

process.argv.splice(2, given.length, 'run', ...passed)
await import('../node_modules/vitest/vitest.mjs' as string)
