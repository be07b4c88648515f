// Stands in for esbuild where tests run the program, because most runs bundle the sources of an earlier run.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { type BuildOptions, type BuildResult, build as bundle } from 'esbuild'
import { replaceFile } from '../../../infra/program/replace-file.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
/** The bundle of this checkout, which outlives a process. */
const KEPT = join(CHECKOUT, 'node_modules/.cache/chronicle-sync-bundle')

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
  const known = built.get(key) ?? kept(key)
  if (known) return movedTo(root, known)
  const result = await bundle(options)
  // A source outside these folders is not part of the key.
  const sources = Object.keys(result.metafile.inputs)
  if (sources.every((path) => /^worker\/|node_modules\//.test(path))) keep({ key, root, result }, options)
  return result
}

/**
 * Covers the sources of the Worker in a folder, the locked packages, and the folder above the project, from which the
 * source map names packages.
 */
function keyOf(folder: string, { absWorkingDir, ...options }: Options): string {
  const hash = createHash('sha256').update(JSON.stringify([dirname(absWorkingDir), options]))
  hash.update(readFileSync(join(CHECKOUT, 'package-lock.json')))
  const entries = readdirSync(join(folder, 'worker'), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !/\.wrangler/.test(entry.parentPath))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
  for (const file of files) hash.update(`\n${relative(folder, file)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

function kept(key: string): Built | undefined {
  const found: Built | undefined = existsSync(KEPT) ? deserialize(readFileSync(KEPT)) : undefined
  if (found?.key !== key) return undefined
  built.set(key, found)
  return found
}

function keep(bundled: Built, options: Options): void {
  built.set(bundled.key, bundled)
  if (bundled.key !== keyOf(CHECKOUT, options)) return
  mkdirSync(dirname(KEPT), { recursive: true })
  // The getters of esbuild cannot be serialized.
  replaceFile(KEPT, serialize({ ...bundled, result: movedTo(bundled.root, bundled) }))
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
