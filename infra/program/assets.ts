import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Assets } from '../component/artifact.ts'
import { DECLARATION_FILE } from '../component/declaration.ts'
import { buildConsole } from './console.ts'
import { readDeclaration } from './declaration.ts'
import { replaceFile } from './replace-file.ts'

/** Hand-written files, the rules for the headers of all files, and the generated OpenAPI document. */
export const PAGES = 'worker/assets'
const HEADERS = 'worker/assets.headers'
const DOCUMENT = 'docs/openapi.json'

/** Stands in the pages for the version. The smoke test compares the version of a served page with the deployed one. */
const VERSION_MARK = '{{version}}'

/** Static assets before the version is written into them. */
export interface AssetSources extends Pick<Assets, 'headers' | 'files'> {
  /** The contents of the files by their paths, like `/index.html`. */
  readonly contents: ReadonlyMap<string, Uint8Array>
}

/** Reads the static assets of this checkout, and builds those of the console. Equal sources give equal bytes. */
export async function readAssets(root: string): Promise<AssetSources> {
  const document = JSON.stringify(JSON.parse(readFileSync(join(root, DOCUMENT), 'utf8')))
  const contents = new Map([
    ...filesIn(join(root, PAGES)),
    ['/openapi.json', Buffer.from(document)],
    ...(await buildConsole(root)),
  ])
  const files = Object.fromEntries([...contents].map(([path, bytes]) => [path, sha256(bytes)]))
  return { headers: readFileSync(join(root, HEADERS), 'utf8'), files, contents }
}

/** Makes a folder hold the assets of a version, and nothing else. */
export function writeAssets(folder: string, { contents }: AssetSources, version: string): void {
  for (const [path, bytes] of contents) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    // Another process may list this folder, and remove what is not an asset.
    replaceFile(file, path.endsWith('.html') ? stamped(bytes, version) : bytes, dirname(folder))
  }
  for (const path of filesIn(folder).keys()) if (!contents.has(path)) rmSync(join(folder, path))
}

/**
 * Makes the folder that the declaration names, which wrangler serves like a stack: the version is the declared one, and
 * the rules for headers are in a file, which wrangler reads and does not serve.
 */
export async function writeDevAssets(root: string): Promise<void> {
  const { assets, vars } = readDeclaration(root)
  if (!assets) return
  const sources = await readAssets(root)
  const contents = new Map([...sources.contents, ['/_headers', Buffer.from(sources.headers)]])
  const folder = join(root, dirname(DECLARATION_FILE), assets.directory)
  writeAssets(folder, { ...sources, contents }, String(vars.VERSION))
}

/** Reads all files in a folder, as the provider does, sorted by their paths, like `/index.html`. */
export function filesIn(folder: string): ReadonlyMap<string, Uint8Array> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const files = entries.map(({ parentPath, name }) => join(parentPath, name)).toSorted()
  return new Map(files.map((file) => [file.slice(folder.length).replaceAll('\\', '/'), readFileSync(file)]))
}

function stamped(page: Uint8Array, version: string): string {
  return Buffer.from(page).toString('utf8').replaceAll(VERSION_MARK, version)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
