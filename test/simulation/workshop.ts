import { join } from 'node:path'
import { build } from 'esbuild'
import { type Alteration, altering } from '../support/alter.ts'
import type { Floor } from './host/floor.ts'

/** Builds the object floor with alterations, and loads it. Rejects if a name to alter does not exist. */
export async function alteredFloor(alterations: readonly Alteration[]): Promise<Floor> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'host/floor.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    logLevel: 'silent',
    plugins: [altering(alterations)],
    inject: ['host/platform.ts', 'host/crypto.ts'].map((file) => join(import.meta.dirname, file)),
  })
  const text = outputFiles[0]?.text ?? ''
  const module: { readonly floor: Floor } = await import(
    `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  )
  return module.floor
}

/**
 * Limits so small that a short history has many segments, pages, slices and drops. Decisions do not depend on them.
 */
export const SMALL_LIMITS: readonly Alteration[] = Object.entries({
  MAX_PAGE_READ_BYTES: 2000,
  SEGMENT_BYTES: 500,
  MAX_PENDING_ROWS: 6,
  CHUNK_LENGTH: 150,
  PASS_SUPERSEDED: 8,
  SLICE_BYTES: 1200,
  ENTRY_STATES_AT_ONCE: 2,
  DROP_ROWS: 3,
}).map(([constant, value]) => ({ constant, value: String(value) }))
