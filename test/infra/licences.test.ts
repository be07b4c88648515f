import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleWorker } from '../../infra/bundle.ts'
import { describeBundle } from '../../infra/dependencies/document.ts'
import { complaintsAbout } from '../../infra/dependencies/licences.ts'
import { bundledPackages, lockedPackages } from '../../infra/dependencies/packages.ts'
import { newProject, type Project } from '../support/cloud/project.ts'

async function bundledIn({ root }: Project) {
  return bundledPackages(root, (await bundleWorker(root, 'src/index.ts')).metafile)
}

const NEEDED = lockedPackages(join(import.meta.dirname, '../..'))

/** What is said of one more package. */
function saidOf(place: 'bundled' | 'locked', licence: string | null, name = 'left-pad') {
  const packages = { bundled: [], locked: [], [place]: [{ name, version: '1.3.0', licence }] }
  return complaintsAbout(packages).filter((line) => line.startsWith(`${name} 1.3.0 `))
}

test('every package that ships or is installed has a licence that is taken', async () => {
  const bundled = await bundledIn(newProject())
  expect(bundled.length).toBeGreaterThan(2)
  expect(NEEDED.length).toBeGreaterThan(400)
  expect(complaintsAbout({ bundled, locked: NEEDED })).toEqual([])
})

test('so has every package that test/clients installs, in an exact version, and none runs a script of its own', () => {
  const folder = join(import.meta.dirname, '../clients')
  const packages = lockedPackages(folder)
  expect(packages.length).toBeGreaterThan(100)
  const complaints = complaintsAbout({ bundled: [], locked: [...NEEDED, ...packages] })
  expect(complaints).toEqual([])
  const { devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  expect(readFileSync(join(folder, 'package-lock.json'), 'utf8')).not.toContain('hasInstallScript')
})

test('docs/dependencies.md lists what ships: `npm run fix` writes it', async () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/dependencies.md'), 'utf8')
  expect(committed).toBe(describeBundle(await bundledIn(newProject())))
})

test('a package that the Worker imports is found in the bundle, with its version and licence', async () => {
  const project = newProject()
  project.edit(
    'worker/src/index.ts',
    (text) => `import { parse } from 'smol-toml'\n${text}\nexport const read = parse\n`,
  )
  const installed = JSON.parse(
    readFileSync(join(project.root, 'node_modules/smol-toml/package.json'), 'utf8'),
  )
  expect(await bundledIn(project)).toContainEqual({
    name: 'smol-toml',
    version: installed.version,
    licence: 'BSD-3-Clause',
    bytes: expect.any(Number),
  })
})

test('a licence that is no text is none, wherever the package lies', async () => {
  const project = newProject()
  const folder = join(project.root, 'vendor/node_modules/outer/node_modules/@scope/left-pad')
  mkdirSync(folder, { recursive: true })
  const manifest = { name: '@scope/left-pad', version: '1.3.0', license: { type: 'MIT' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'index.js'), 'export const pad = 1\n')
  const path = '../../vendor/node_modules/outer/node_modules/@scope/left-pad/index.js'
  project.edit('worker/src/index.ts', (text) => `${text}\nexport { pad } from '${path}'\n`)
  expect(await bundledIn(project)).toContainEqual({
    name: '@scope/left-pad',
    version: '1.3.0',
    licence: null,
    bytes: expect.any(Number),
  })
})

test.each(['MIT', '0BSD', 'MIT OR GPL-3.0-only', '(BSD-3-Clause AND Apache-2.0)'])(
  '%s is taken',
  (licence) => {
    expect(saidOf('bundled', licence)).toEqual([])
    expect(saidOf('locked', licence)).toEqual([])
  },
)

test.each([
  'GPL-3.0-only',
  'MIT AND GPL-3.0-only',
  '(X OR MIT OR X) AND GPL-3.0-only',
  'SEE LICENSE IN LICENSE',
  '',
])('"%s" is not', (licence) => {
  const found = `left-pad 1.3.0 is under "${licence}"`
  expect(saidOf('bundled', licence)).toEqual([expect.stringContaining(`${found} and ships in the bundle`)])
  expect(saidOf('locked', licence)).toEqual([expect.stringContaining(`${found} and is installed`)])
})

test('a package without a licence is named, with what to do', () => {
  expect(saidOf('bundled', null)).toEqual([
    'left-pad 1.3.0 is under no licence and ships in the bundle: do without it, or if what it is under is permissive, say so in PERMISSIVE (infra/dependencies/licences.ts)',
  ])
  expect(saidOf('locked', null)).toEqual([
    'left-pad 1.3.0 is under no licence and is installed: do without it, or say in EXCEPTIONS (infra/dependencies/licences.ts) why it does no harm',
  ])
})

test('an exception is for that package, that licence and tools only', () => {
  expect(saidOf('locked', 'MPL-2.0', 'lightningcss-plan9-x64')).toEqual([])
  expect(saidOf('locked', 'GPL-3.0-only', 'lightningcss-plan9-x64')).toHaveLength(1)
  expect(saidOf('locked', 'MPL-2.0', 'heavycss')).toHaveLength(1)
  expect(saidOf('bundled', 'MPL-2.0', 'lightningcss')).toHaveLength(1)
})

test('an exception that nothing needs is to be taken out', () => {
  const needed = NEEDED.filter(({ name }) => name !== 'spdx-exceptions')
  expect(complaintsAbout({ bundled: [], locked: needed })).toEqual([
    'spdx-exceptions under CC-BY-3.0 is in EXCEPTIONS (infra/dependencies/licences.ts) and not installed: take it out',
  ])
})
