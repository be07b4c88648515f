import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import { WORKER_BUILD } from '../../infra/program/bundle.ts'
import { type Alteration, altering } from '../../test/support/alter.ts'

/** How to build the Worker with rate limits that cost nothing, and with some of its sources altered. */
export function unlimitedBuild(alterations: readonly Alteration[] = []): BuildOptions {
  return buildOf(join(import.meta.dirname, 'unlimited.ts'), alterations)
}

/** How to build a script that imports the Worker, with some of its sources altered. */
export function buildOf(entryPoint: string, alterations: readonly Alteration[]): BuildOptions {
  return { ...WORKER_BUILD, entryPoints: [entryPoint], plugins: [altering(alterations)] }
}
