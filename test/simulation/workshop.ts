import { join } from 'node:path'
import { build } from 'esbuild'
import { type Alteration, altering } from '../support/alter.ts'
import type { Client } from './devices/client.ts'
import type { Floor } from './host/floor.ts'

/** Builds the object floor with alterations, and loads it. Rejects if a name to alter does not exist. */
export async function alteredFloor(alterations: readonly Alteration[]): Promise<Floor> {
  const injected = ['host/platform.ts', 'host/planted.ts', 'host/crypto.ts']
  const module = await alteredBuild<{ floor: Floor }>('host/floor.ts', { injected, alterations })
  return module.floor
}

/** Builds the client with alterations, and loads it. Rejects if a name to alter does not exist. */
export async function alteredClient(alterations: readonly Alteration[]): Promise<Client> {
  const injected = ['host/planted.ts']
  const module = await alteredBuild<{ client: Client }>('devices/client.ts', { injected, alterations })
  return module.client
}

interface Ingredients {
  /** Modules whose exports replace globals. */
  readonly injected: readonly string[]
  readonly alterations: readonly Alteration[]
}

async function alteredBuild<T>(entry: string, { injected, alterations }: Ingredients): Promise<T> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    logLevel: 'silent',
    plugins: [altering(alterations)],
    inject: injected.map((file) => join(import.meta.dirname, file)),
  })
  const text = outputFiles[0]?.text ?? ''
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)
}

/**
 * Limits so small that a short history has many segments, pages, slices and drops. Decisions do not depend on them.
 */
export const SMALL_LIMITS: readonly Alteration[] = Object.entries({
  MAX_PAGE_READ_BYTES: 2000,
  SEGMENT_BYTES: 500,
  MAX_PENDING_ROWS: 6,
  MAX_RECENT_ENTRIES: 6,
  CHUNK_LENGTH: 150,
  PASS_SUPERSEDED: 8,
  SLICE_BYTES: 1200,
  ENTRY_STATES_AT_ONCE: 2,
  DROP_ROWS: 3,
}).map(([constant, value]) => ({ constant, value: String(value) }))
