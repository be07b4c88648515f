import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Floor } from './floor.ts'

const SOURCE = join(import.meta.dirname, '../../worker/src')

/** One line of the product, and another one in its place. */
export interface Alteration {
  /** Under `worker/src`. */
  readonly file: string
  /** Text that the file holds exactly once. */
  readonly find: string
  readonly replace: string
}

/** The product with some of its lines changed, ready to be run. Throws if a line is not there to be changed. */
export async function alteredFloor(alterations: readonly Alteration[]): Promise<Floor> {
  const done = new Set<Alteration>()
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'floor.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    plugins: [
      {
        name: 'alter',
        setup({ onLoad }) {
          onLoad({ filter: /worker\/src\/.*\.ts$/ }, ({ path }) => {
            const wanted = alterations.filter(({ file }) => path === join(SOURCE, file))
            for (const alteration of wanted) done.add(alteration)
            return { contents: wanted.reduce(alter, readFileSync(path, 'utf8')), loader: 'ts' }
          })
        },
      },
    ],
  })
  const missed = alterations.find((alteration) => !done.has(alteration))
  if (missed !== undefined) throw new Error(`${missed.file} is no part of the floor`)
  const text = outputFiles[0]?.text ?? ''
  const module: { readonly floor: Floor } = await import(
    `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  )
  return module.floor
}

function alter(text: string, { file, find, replace }: Alteration): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${find}`)
  return parts.join(replace)
}

/**
 * The product with limits so small that a short history has many segments, pages, slices and drops: what is decided
 * does not depend on them.
 */
export const SMALL_LIMITS: readonly Alteration[] = [
  limit('MAX_PAGE_READ_BYTES = 4 * 1024 * 1024', 'MAX_PAGE_READ_BYTES = 2000'),
  limit('SEGMENT_BYTES = 16 * 1024', 'SEGMENT_BYTES = 500'),
  limit('CHUNK_LENGTH = 64 * 1024', 'CHUNK_LENGTH = 150'),
  limit('PASS_SUPERSEDED = 1000', 'PASS_SUPERSEDED = 8'),
  limit('SLICE_BYTES = 1024 * 1024', 'SLICE_BYTES = 1200'),
  limit('HEADS_AT_ONCE = 1000', 'HEADS_AT_ONCE = 2'),
  limit('DROP_ROWS = 1000', 'DROP_ROWS = 3'),
]

function limit(find: string, replace: string): Alteration {
  return { file: 'core/limits.ts', find, replace }
}
