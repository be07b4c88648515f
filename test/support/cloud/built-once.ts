// Stands in for esbuild where tests run the program, because most runs bundle the sources of an earlier run.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { type BuildOptions, type BuildResult, build as bundle } from 'esbuild'
import { replaceFile } from '../../../infra/program/replace-file.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
/** Bundles of this checkout, which outlive a process. */
const KEPT = join(CHECKOUT, 'node_modules/.cache/chronicle-sync-bundles')

/** The bundles of the program are of the sources of one folder, the Worker or the console. */
type Options = BuildOptions & { absWorkingDir: string; metafile: true; write: false }

interface Built {
  readonly key: string
  readonly root: string
  readonly result: BuildResult<Options>
}

const built = new Map<string, Built>()

/** Bundles as esbuild does. Equal sources are bundled once. */
export async function build(options: Options): Promise<BuildResult<Options>> {
  const { absWorkingDir: root } = options
  const key = keyOf(root, options)
  const known = built.get(key) ?? kept(key, options)
  if (known) return movedTo(root, known)
  const result = await bundle(options)
  // A source outside these folders is not part of the key.
  const folder = `${sourcesOf(options)}/`
  const sources = Object.keys(result.metafile.inputs)
  if (sources.every((path) => path.startsWith(folder) || path.includes('node_modules/')))
    keep({ key, root, result }, options)
  return result
}

/** Names the folder with the sources, from the root. */
function sourcesOf({ entryPoints }: Options): string {
  const [first] = Array.isArray(entryPoints) ? entryPoints : []
  return (typeof first === 'object' ? first.in : String(first)).split('/')[0] ?? ''
}

/**
 * Covers the sources in a folder, the locked packages, and the folder above the project, from which the source map names
 * packages.
 */
function keyOf(folder: string, options: Options): string {
  const { absWorkingDir, ...others } = options
  const hash = createHash('sha256').update(JSON.stringify([dirname(resolve(absWorkingDir)), others]))
  hash.update(readFileSync(join(CHECKOUT, 'package-lock.json')))
  const entries = readdirSync(join(folder, sourcesOf(options)), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !/\.wrangler/.test(entry.parentPath))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
  for (const file of files) hash.update(`\n${relative(folder, file)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

function kept(key: string, options: Options): Built | undefined {
  const file = join(KEPT, sourcesOf(options))
  const found: Built | undefined = existsSync(file) ? deserialize(readFileSync(file)) : undefined
  if (found?.key !== key) return undefined
  built.set(key, found)
  return found
}

function keep(bundled: Built, options: Options): void {
  built.set(bundled.key, bundled)
  if (bundled.key !== keyOf(CHECKOUT, options)) return
  mkdirSync(KEPT, { recursive: true })
  // The getters of esbuild cannot be serialized.
  replaceFile(
    join(KEPT, sourcesOf(options)),
    serialize({ ...bundled, result: movedTo(bundled.root, bundled) }),
  )
}

function movedTo(root: string, { root: before, result }: Built): BuildResult<Options> {
  const outputFiles = result.outputFiles.map(({ path, contents, hash }) => ({
    path: join(root, relative(before, path)),
    contents,
    hash,
    text: '',
  }))
  return { ...result, outputFiles }
}
