/**
 * Checks the English of the repository, or of the paths it is given. Prints each odd sentence, and fails if they are
 * one in a hundred or more. Words in backticks are not judged.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isOdd, sentencesOf } from './sentences.ts'

const MOST = 1 / 100
const GENERATED = new Set(['worker/worker-configuration.d.ts'])

const listed = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...process.argv.slice(2)],
  { encoding: 'utf8' },
)
const paths = [...new Set(listed.split('\n'))].filter((path) => existsSync(path) && !GENERATED.has(path))

let count = 0
let odd = 0
for (const path of paths.filter((name) => name !== ''))
  for (const { line, text } of sentencesOf(path, readFileSync(path, 'utf8'))) {
    count += 1
    if (!isOdd(text)) continue
    odd += 1
    console.log(`${path}:${line}: ${text}`)
  }

const share = count === 0 ? 0 : odd / count
console.log(
  `English: ${odd} of ${count} sentences are odd (${(share * 100).toFixed(2)} %, less than 1 % may be)`,
)
if (share >= MOST) process.exitCode = 1
