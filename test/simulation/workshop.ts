import { join } from 'node:path'
import { build } from 'esbuild'
import { type Alteration, altering } from '../support/alter.ts'
import type { Floor } from './floor.ts'

/** The product with some of its lines changed, ready to be run. Throws if a line is not there to be changed. */
export async function alteredFloor(alterations: readonly Alteration[]): Promise<Floor> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'floor.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    plugins: [altering(alterations)],
    inject: [join(import.meta.dirname, 'platform.ts')],
  })
  const text = outputFiles[0]?.text ?? ''
  const module: { readonly floor: Floor } = await import(
    `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  )
  return module.floor
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
  return { file: 'core/values/limits.ts', find, replace }
}
