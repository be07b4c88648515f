import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { type BuildFailure, type BuildOptions, type BuildResult, build, type Metafile } from 'esbuild'
import { replaceFile } from './replace-file.ts'

export interface Bundle {
  /** Relative to the folder of the program, where the provider resolves it. */
  readonly contentFile: string
  readonly contentSha256: string
  readonly bytes: Uint8Array
  readonly metafile: Metafile
}

const IN_MEMORY = { write: false, metafile: true } as const

/** Bundles sources without writing files. A broken source throws a RunError of one line: file, line, column, reason. */
export function bundle(root: string, options: BuildOptions): Promise<BuildResult<typeof IN_MEMORY>> {
  return build({ ...options, ...IN_MEMORY, absWorkingDir: root }).catch((failure: BuildFailure) => {
    throw new RunError(describe(failure))
  })
}

/** How the Worker is built, whatever its entry point. */
export const WORKER_BUILD = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  conditions: ['workerd', 'worker', 'browser'],
  external: ['cloudflare:*', 'node:*'],
  define: { 'process.env.NODE_ENV': '"production"' },
  // Functions and classes get short names. Errors name themselves, and the source map has the names of stack traces.
  minify: true,
  legalComments: 'none',
  logLevel: 'silent',
} satisfies BuildOptions

/**
 * Bundles the Worker from the sources in the tree into one module, and writes it to dist/. Equal sources give equal
 * bytes.
 */
export async function bundleWorker(root: string, main: string): Promise<Bundle> {
  const result = await bundle(root, {
    ...WORKER_BUILD,
    entryPoints: [join('worker', main)],
    outfile: 'dist/worker.js',
    sourcemap: 'external',
  })
  mkdirSync(join(root, 'dist'), { recursive: true })
  for (const file of result.outputFiles) replaceFile(file.path, file.contents)
  const bytes = result.outputFiles.find(({ path }) => path.endsWith('.js'))?.contents
  if (!bytes) throw new RunError('esbuild produced no module')
  const contentSha256 = createHash('sha256').update(bytes).digest('hex')
  return { contentFile: '../dist/worker.js', contentSha256, bytes, metafile: result.metafile }
}

/** The names that the module exports. */
export function exportsOf({ metafile }: Bundle): readonly string[] {
  return Object.values(metafile.outputs).flatMap((output) => output.exports)
}

function describe(failure: BuildFailure): string {
  const [first] = failure.errors ?? []
  if (!first) return failure.message
  const { location, text } = first
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : ''
  return `${location ? `${location.file}:${location.line}:${location.column + 1}: ` : ''}${text}${more}`
}
