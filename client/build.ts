// `npm run build --workspace client`: compiles the package into client/dist. An adapter needs the types of its framework,
// so it is left out while the folder that holds them is not installed; `--all` then fails. An argument names a folder, and
// the adapters of the others are left out of client/dist, also those that an earlier build has made.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(import.meta.dirname, 'dist')
/** Takes the place of `client/dist` once it is complete, because an app may be reading that. */
const STAGING = join(ROOT, `dist/client-${process.pid}`)
const SPECIFICATION = join(ROOT, 'docs/openapi.json')
const WIRE_TYPES = join(import.meta.dirname, 'src/values/openapi.ts')

/** Adapters, each with the folder whose packages have the types of its framework. */
const ADAPTERS = [
  { project: 'client/tsconfig.react.json', folder: 'examples/notes' },
  { project: 'client/tsconfig.adapters.json', folder: 'test/clients' },
]

const EMIT = [
  ...['--noEmit', 'false', '--declaration', '--stripInternal', '--rewriteRelativeImportExtensions'],
  ...['--rootDir', 'client/src', '--outDir', STAGING],
]

/** Runs a program of node_modules, and ends this one if it fails. */
function run(program: string, args: readonly string[]): void {
  const file = join(ROOT, 'node_modules', program)
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: ROOT, stdio: 'inherit' })
  if (status === 0) return
  rmSync(STAGING, { recursive: true, force: true })
  process.exit(status ?? 1)
}

function compile(project: string): void {
  run('typescript/bin/tsc', ['-p', project, ...EMIT])
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** The adapters that are asked for, and whose framework is installed. */
function adapters(): typeof ADAPTERS {
  const folders = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  const wanted = ADAPTERS.filter(({ folder }) => folders.length === 0 || folders.includes(folder))
  const missing = wanted.filter(({ folder }) => !existsSync(join(ROOT, folder, 'node_modules')))
  if (missing.length > 0 && process.argv.includes('--all')) {
    const commands = missing.map(({ folder }) => `node infra/local/install.mjs ${folder}`)
    console.error(`Error: an adapter lacks its framework. Run this in the root: ${commands.join(' && ')}`)
    process.exit(1)
  }
  return wanted.filter((adapter) => !missing.includes(adapter))
}

const projects = ['client', ...adapters().map(({ project }) => project)]
if (modified(WIRE_TYPES) < modified(SPECIFICATION)) run('openapi-typescript/bin/cli.js', [])
for (const project of projects) compile(project)
copyFileSync(join(ROOT, 'LICENSE'), join(STAGING, 'LICENSE'))
rmSync(DIST, { recursive: true, force: true })
renameSync(STAGING, DIST)
