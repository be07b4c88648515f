import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import type { Release } from './migrations.ts'

/** The file with the number of the stored form, from the project's root. */
export const LAYOUT_FILE = 'worker/src/core/space/layout.ts'

const LINE = /^export const LAYOUT = (\d+)$/m

/** The number of the stored form that this checkout writes. */
export function readLayout(root: string): number {
  return parseLayout(readFileSync(join(root, LAYOUT_FILE), 'utf8'))
}

/** The number in the text of that file, maybe of another commit. */
export function parseLayout(text: string): number {
  const [, number] = LINE.exec(text) ?? []
  if (number !== undefined) return Number(number)
  throw new RunError(
    `${LAYOUT_FILE} has no line "export const LAYOUT = <number>": infra/layout.ts reads it from there`,
  )
}

/** Refuses to put a version that writes an older form in the place of one that may have written a newer one. */
export function checkLayout(last: Partial<Release> | undefined, layout: number): void {
  const { layout: newest = 0 } = last ?? {}
  if (newest <= layout) return
  throw new RunError(
    `this checkout stores spaces in layout ${layout}, and the last one that served this stack in layout ${newest}, which this one cannot read: go on with that one or a newer one (git log -- ${LAYOUT_FILE})`,
  )
}
