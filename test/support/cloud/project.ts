import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { readStack } from '../../../infra/cli/stack-file.ts'
import type { Step } from '../../../infra/local/engine/deployment.ts'
import { signOf } from '../../../infra/local/engine/diff.ts'
import { runProgram } from '../../../infra/local/engine/program.ts'
import { preview, type UpResult, up } from '../../../infra/local/engine/up.ts'
import { runHosted } from './program-runner.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
const SOURCES = [
  '.gitignore',
  'LICENSE',
  'Pulumi.yaml',
  'Pulumi.dev.yaml',
  'Pulumi.prod.yaml',
  'Pulumi.pr.yaml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'infra',
  'worker',
  'console',
  'docs/openapi.json',
]

/** Setting that the prod stack of a real user has and the checkout must not have. */
export const HOSTNAME = { hostname: 'sync.example.com' }

/** Copy of the project, which a test may change and run. */
export interface Project {
  readonly root: string
  /** Runs `up` of a stack. `config` overrides the stack file. */
  up(stack: string, config?: Readonly<Record<string, string>>): Promise<UpResult>
  preview(stack: string, config?: Readonly<Record<string, string>>): Promise<UpResult>
  /** Runs `up` with Pulumi's own launcher, in a process that loads the SDK. */
  launch(stack: string): Promise<UpResult>
  copy(from: string, to: string): void
  edit(file: string, change: (text: string) => string): void
}

let sources: readonly Source[] | undefined

/**
 * Makes a project, which is removed at the end of the run: a file system that has just removed many files makes new ones
 * ten times as slowly. Copies the deployed stacks of `deployed`.
 */
export function newProject(deployed?: Project): Project {
  const root = mkdtempSync(join(tmpdir(), 'chronicle-infra-'))
  sources ??= readSources()
  for (const { path, bytes, mode } of sources) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), bytes, { mode })
  }
  linkPackages(root)
  // If the lock file were newer than the packages, an npm script would run `npm ci` and empty the checkout's folder.
  utimesSync(join(root, 'package-lock.json'), 0, 0)
  if (deployed) cpSync(join(deployed.root, '.local'), join(root, '.local'), { recursive: true })
  function optionsOf(stack: string, config: Readonly<Record<string, string>>) {
    return {
      root,
      stack: readStack(root, stack, config),
      folder: join(root, '.local', stack),
      launch: runHosted,
    }
  }
  return {
    root,
    launch: (stack) => up({ ...optionsOf(stack, {}), launch: runProgram }),
    up: (stack, config = {}) => up(optionsOf(stack, config)),
    preview: (stack, config = {}) => preview(optionsOf(stack, config)),
    copy: (from, to) => cpSync(join(root, from), join(root, to)),
    edit(file, change) {
      const path = join(root, file)
      const before = readFileSync(path, 'utf8')
      const after = change(before)
      if (after === before) throw new Error(`nothing of ${file} was changed`)
      writeFileSync(path, after)
    },
  }
}

interface Source {
  /** From the root. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly mode: number
}

/** Reads the files of a project once, because copies of 400 files take three times as long. */
function readSources(): readonly Source[] {
  const files = SOURCES.flatMap((name) => (statSync(join(CHECKOUT, name)).isFile() ? [name] : filesOf(name)))
  return files.map((path) => {
    const file = join(CHECKOUT, path)
    return { path, bytes: readFileSync(file), mode: statSync(file).mode }
  })
}

/** Lists the files in a folder, except what the checkout has built. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(join(CHECKOUT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(CHECKOUT, join(parentPath, name)))
    .filter((path) => !/\.wrangler|component\/dist/.test(path))
}

/** Fills a folder with links, because the pattern `node_modules/` of the project's .gitignore matches no link. */
function linkPackages(root: string): void {
  const packages = join(CHECKOUT, 'node_modules')
  mkdirSync(join(root, 'node_modules'))
  for (const name of readdirSync(packages)) {
    symlinkSync(join(packages, name), join(root, 'node_modules', name))
  }
}

/** Makes a project with other limits than the core's, for a test that would wait for a real deadline. */
export function projectWithLimits(limits: Readonly<Record<string, number>>): Project {
  const project = newProject()
  const files = globSync('worker/src/core/**/*limits.ts', { cwd: project.root })
  for (const [name, value] of Object.entries(limits)) {
    const declared = new RegExp(`(?<=^export const ${name} = )[\\d_]+$`, 'm')
    const file = files.find((path) => declared.test(readFileSync(join(project.root, path), 'utf8')))
    if (file === undefined) throw new Error(`no file of limits declares ${name}`)
    project.edit(file, (text) => text.replace(declared, String(value)))
  }
  return project
}

/** Lists the steps that changed something: `update chronicle-sync-script ~contentSha256`. */
export function changesOf(steps: readonly Step[]): readonly string[] {
  return steps
    .filter(({ operation }) => operation !== 'same')
    .map(({ operation, resource, changes }) =>
      [operation, resource.name, ...changes.map((change) => `${signOf(change)}${change.path}`)].join(' '),
    )
}
