import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundle } from './bundle.ts'

/** The folder with the sources of the console, a page for operators. */
export const CONSOLE = 'console'

/** Builds the files of the console, by the paths at which they are served. Equal sources give equal bytes. */
export async function buildConsole(root: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await bundle(root, {
    entryPoints: [
      { in: `${CONSOLE}/src/main.ts`, out: 'console' },
      { in: `${CONSOLE}/style.css`, out: 'console' },
    ],
    outdir: 'dist',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    minify: true,
    // Browsers get copies of the packages, and with them their licences.
    legalComments: 'eof',
    logLevel: 'silent',
    plugins: [unindented],
  })
  const page = readFileSync(join(root, CONSOLE, 'index.html'))
  const built = outputFiles.map(({ path, contents }) => [basename(path), contents] as const)
  const files = [...built, ['index.html', page] as const]
  return new Map(files.map(([name, bytes]) => [`/${CONSOLE}/${name}`, bytes]))
}

/** Takes the indentation out of the sources: esbuild keeps that of templates, which htm ignores. */
const unindented: Plugin = {
  name: 'unindented',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]console[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/\n\s+/g, '\n'),
      loader: 'ts',
    }))
  },
}
