import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

const SOURCE = join(import.meta.dirname, '../../worker/src')

/** One line of the product, and another one in its place. */
export interface Alteration {
  /** Under `worker/src`. */
  readonly file: string
  /** Text that the file holds exactly once. */
  readonly find: string
  readonly replace: string
}

/** Builds the product with some of its lines changed. Fails if a line is not there to be changed. */
export function altering(alterations: readonly Alteration[]): Plugin {
  return {
    name: 'alter',
    setup({ onLoad, onEnd }) {
      const done = new Set<Alteration>()
      onLoad({ filter: /worker\/src\/.*\.ts$/ }, ({ path }) => {
        const wanted = alterations.filter(({ file }) => path === join(SOURCE, file))
        for (const alteration of wanted) done.add(alteration)
        return { contents: wanted.reduce(alter, readFileSync(path, 'utf8')), loader: 'ts' }
      })
      onEnd(() => {
        const missed = alterations.find((alteration) => !done.has(alteration))
        if (missed !== undefined) throw new Error(`${missed.file} is no part of what is built`)
      })
    },
  }
}

function alter(text: string, { file, find, replace }: Alteration): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${find}`)
  return parts.join(replace)
}
