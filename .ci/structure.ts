/**
 * Checks the files and folders of the repository. Fails on a cycle of imports between folders, on a folder with too
 * many files, and on a long file. Biome checks cycles between files.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path/posix'
import { crossings, folderCycles, fullFolders, isLong, mostLines } from './folders.ts'

/** A folder that a reader takes in at a glance. */
const MOST_FILES = 17

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const paths = [...new Set(listed.trim().split('\n'))].filter((path) => existsSync(path))
const sources = paths
  .filter((path) => /\.(?:ts|js|mjs)$/.test(path))
  .map((path) => [path, readFileSync(path, 'utf8')] as const)

const findings: string[] = []
for (const cycle of folderCycles(sources.flatMap(([path, text]) => crossings(path, text)))) {
  const folders = new Set(cycle.flatMap(({ from, to }) => [dirname(from), dirname(to)]))
  const imports = cycle.map(({ from, to }) => `\n  ${from} imports ${to}`)
  findings.push(`${[...folders].join(', ')} import each other:${imports.join('')}`)
}
for (const [folder, count] of fullFolders(paths, MOST_FILES))
  findings.push(`${folder} holds ${count} files, and at most ${MOST_FILES} are allowed`)
for (const [path, text] of sources)
  if (isLong(path, text)) findings.push(`${path} is longer than ${mostLines(path)} lines`)

for (const finding of findings) console.error(`Error: ${finding}`)
if (findings.length > 0) process.exitCode = 1
else
  console.log(`Structure: ${sources.length} source files, no cycle of folders, no full folder, no long file`)
