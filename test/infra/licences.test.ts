import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleWorker } from '../../infra/program/bundle.ts'
import { newProject } from '../support/cloud/project.ts'

const ROOT = join(import.meta.dirname, '../..')
const PEERS = join(ROOT, 'bench/peers')

/** Licences, as packages spell them, that let anybody use, change and redistribute the code. */
const PERMISSIVE = [
  '(BSD-3-Clause AND Apache-2.0)',
  '(MIT OR CC0-1.0)',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT OR Apache-2.0',
  'Python-2.0',
  'Unlicense',
]

/** Other licences of tools that are installed unchanged and never ship. `*` stands for a platform. */
const TOOLS = [
  // Image library of miniflare.
  '@img/sharp-libvips-*: LGPL-3.0-or-later',
  '@img/sharp-win32-*: Apache-2.0 AND LGPL-3.0-or-later',
  '@img/sharp-wasm32: Apache-2.0 AND LGPL-3.0-or-later AND MIT',
  // CSS compiler of vite, which vitest installs.
  'lightningcss: MPL-2.0',
  'lightningcss-*: MPL-2.0',
  // Judge of accessibility in the tests of the console.
  'axe-core: MPL-2.0',
  // The named file is the MIT licence.
  '@logdna/tail-file: SEE LICENSE IN LICENSE',
  // List of names that the Pulumi SDK reads.
  'spdx-exceptions: CC-BY-3.0',
]

/** Licences that packages of bench/peers state in an old form, or that let anybody do anything. They never ship. */
const PEER_LICENCES = [
  'amdefine: BSD-3-Clause OR MIT',
  'argsarray: WTFPL',
  'truncate-utf8-bytes: WTFPL',
  'sanitize-filename: WTFPL OR ISC',
  'spark-md5: (WTFPL OR MIT)',
  'utf8-byte-length: (WTFPL OR MIT)',
  'tiny-queue: Apache 2',
  'readable-stream: BSD',
  // Their package.json has a list: MIT for the first three, BSD for the last one.
  'end-stream: undefined',
  'level-write-stream: undefined',
  'write-stream: undefined',
  'esprima-fb: undefined',
]

interface Locked {
  readonly license?: unknown
  readonly hasInstallScript?: boolean
  readonly link?: boolean
}

/** Lists the packages of a lock file by install folder, without our own workspace. */
function lockedPackages(folder: string): readonly (readonly [path: string, locked: Locked])[] {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  return Object.entries<Locked>(packages).filter(
    ([path, { link }]) => path.includes('node_modules/') && !link,
  )
}

/** Lists packages whose licence is not permissive, like `spdx-exceptions: CC-BY-3.0`. */
function otherLicences(packages: ReturnType<typeof lockedPackages>): readonly string[] {
  return packages
    .filter(([, { license }]) => !PERMISSIVE.some((permissive) => permissive === license))
    .map(([path, { license }]) => `${path.replace(/^.*node_modules\//, '')}: ${license}`)
}

function isTool(found: string): boolean {
  return TOOLS.some((tool) => covers(tool, found))
}

function covers(tool: string, found: string): boolean {
  const [start = '', end = ''] = tool.split('*')
  return tool.includes('*') ? found.startsWith(start) && found.endsWith(end) : found === tool
}

test('ships only packages under a permissive licence', async () => {
  const { metafile } = await bundleWorker(newProject().root, 'src/index.ts')
  const bundle = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.js'))?.[1]
  const folders = Object.keys(bundle?.inputs ?? {}).flatMap(
    (path) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  )
  const shipped = lockedPackages(ROOT).filter(([path]) => folders.includes(path))
  expect(shipped.length).toBe(new Set(folders).size)
  expect(shipped.length).toBeGreaterThan(2)
  expect(otherLicences(shipped)).toEqual([])
})

test('installs only packages under a permissive licence, and tools that are listed with a reason', () => {
  const packages = lockedPackages(ROOT)
  expect(packages.length).toBeGreaterThan(400)
  const others = otherLicences(packages)
  expect(others.filter((found) => !isTool(found))).toEqual([])
  expect(TOOLS.filter((tool) => !others.some((found) => covers(tool, found)))).toEqual([])
})

test.each([
  { folder: 'test/clients', least: 100 },
  { folder: 'examples/notes', least: 5 },
])(
  'installs exact versions under permissive licences for $folder, and runs no install script',
  ({ folder, least }) => {
    const packages = lockedPackages(join(ROOT, folder))
    expect(packages.length).toBeGreaterThan(least)
    expect(otherLicences(packages)).toEqual([])
    expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    )
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  },
)

test('installs exact versions under permissive licences for bench/peers', () => {
  const packages = lockedPackages(PEERS)
  expect(packages.length).toBeGreaterThan(100)
  expect([...new Set(otherLicences(packages))].toSorted()).toEqual(PEER_LICENCES.toSorted())
  const { devDependencies } = JSON.parse(readFileSync(join(PEERS, 'package.json'), 'utf8'))
  for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})

test('refuses a copyleft licence, an unknown one and a missing one', () => {
  const found = otherLicences([
    ['node_modules/left-pad', { license: 'GPL-3.0-only' }],
    ['node_modules/a/node_modules/@scope/right-pad', { license: { type: 'MIT' } }],
    ['node_modules/lightningcss', { license: 'GPL-3.0-only' }],
    ['node_modules/bare', {}],
  ])
  expect(found).toHaveLength(4)
  expect(found.filter(isTool)).toEqual([])
})
