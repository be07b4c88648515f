import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const HERE = import.meta.dirname

export interface File {
  readonly type: string
  readonly contents: string | Uint8Array
}

/** The files of the app, by their path. */
export type Files = ReadonlyMap<string, File>

/**
 * Bundles the app. The client comes from the package, `client/dist`, which npm has linked into the root's node_modules.
 * An adapter of that package finds React here, as it would if the package were installed in this folder.
 */
export async function buildApp(): Promise<Files> {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: { app: 'src/main.tsx', style: 'src/style.css' },
    outdir: '.',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    jsx: 'automatic',
    nodePaths: [join(HERE, 'node_modules')],
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'silent',
  })
  const [script, style] = ['app.js', 'style.css'].map((name) =>
    outputFiles.find(({ path }) => path.endsWith(name)),
  )
  if (!script || !style) throw new Error('esbuild has made no script or no style')
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', contents: readFileSync(join(HERE, 'src/index.html'), 'utf8') }],
    ['/app.js', { type: 'text/javascript; charset=utf-8', contents: script.contents }],
    ['/style.css', { type: 'text/css; charset=utf-8', contents: style.contents }],
  ])
}
