import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'

/** The folder with the file `layout.ts`, which has moved between subfolders from commit to commit. */
export const LAYOUT_FOLDER = 'worker/src/core'

const LINE = /^export const LAYOUT = (\d+)$/m

/** Reads the number of the layout in which this checkout stores spaces. */
export function readLayout(root: string): number {
  const folder = join(root, LAYOUT_FOLDER)
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const file = findLayoutFile(files)
  if (file !== undefined) return parseLayout(readFileSync(join(folder, file), 'utf8'))
  throw new RunError(
    `${LAYOUT_FOLDER} has no file layout.ts, from which infra/program/layout.ts reads a number`,
  )
}

/** Picks the file with the number of the layout from the paths of a commit or a folder; undefined without such a file. */
export function findLayoutFile(paths: readonly string[]): string | undefined {
  return paths.find((path) => /(^|[\\/])layout\.ts$/.test(path))
}

/** Parses the number in the text of that file, which may come from another commit. */
export function parseLayout(text: string): number {
  const [, number] = LINE.exec(text) ?? []
  if (number !== undefined) return Number(number)
  throw new RunError(
    'layout.ts has no line "export const LAYOUT = <number>", from which infra/program/layout.ts reads the number',
  )
}
