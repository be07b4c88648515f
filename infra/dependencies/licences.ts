import type { Package } from './packages.ts'

const PLACE = 'infra/dependencies/licences.ts'

/** Licences that let anybody use, change and pass on the code. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
])

interface Exception {
  /** The package, or with a star those whose names begin so: one for each kind of machine. */
  readonly name: string
  readonly licence: string
  readonly why: string
}

const SHARP = 'the image library of miniflare, used as it is, on the machines of those who build'
const CSS = 'the CSS of vite, used as it is by vitest'

/** What is only installed, and never ships. */
const EXCEPTIONS: readonly Exception[] = [
  { name: '@img/sharp-libvips-*', licence: 'LGPL-3.0-or-later', why: SHARP },
  { name: '@img/sharp-win32-*', licence: 'Apache-2.0 AND LGPL-3.0-or-later', why: SHARP },
  { name: '@img/sharp-wasm32', licence: 'Apache-2.0 AND LGPL-3.0-or-later AND MIT', why: SHARP },
  { name: 'lightningcss', licence: 'MPL-2.0', why: CSS },
  { name: 'lightningcss-*', licence: 'MPL-2.0', why: CSS },
  { name: '@logdna/tail-file', licence: 'SEE LICENSE IN LICENSE', why: 'that file is the MIT licence' },
  { name: 'spdx-exceptions', licence: 'CC-BY-3.0', why: 'a list of names, read by the Pulumi SDK' },
]

interface Packages {
  readonly bundled: readonly Package[]
  readonly locked: readonly Package[]
}

/** A line for each package that we must not use like that, and for each exception that nothing needs. */
export function complaintsAbout({ bundled, locked }: Packages): readonly string[] {
  const shipped = bundled.filter(({ licence }) => !isPermissive(licence))
  const installed = locked.filter((found) => !isPermissive(found.licence) && !EXCEPTIONS.some(covers(found)))
  const unneeded = EXCEPTIONS.filter((exception) => !locked.some((found) => covers(found)(exception)))
  return [
    ...shipped.map(
      (found) =>
        `${describe(found)} and ships in the bundle: do without it, or if what it is under is permissive, say so in PERMISSIVE (${PLACE})`,
    ),
    ...installed.map(
      (found) =>
        `${describe(found)} and is installed: do without it, or say in EXCEPTIONS (${PLACE}) why it does no harm`,
    ),
    ...unneeded.map(
      ({ name, licence }) =>
        `${name} under ${licence} is in EXCEPTIONS (${PLACE}) and not installed: take it out`,
    ),
  ]
}

/** Whether an SPDX expression leaves a choice of permissive licences only. What it nests is for a person to read. */
function isPermissive(licence: string | null): boolean {
  const flat = (licence ?? '').replace(/^\(([^()]*)\)$/, '$1')
  if (/[()]/.test(flat)) return false
  return flat.split(' OR ').some((choice) => choice.split(' AND ').every((id) => PERMISSIVE.has(id)))
}

function covers(found: Package): (exception: Exception) => boolean {
  return ({ name, licence }) => {
    const isNamed = name.endsWith('*') ? found.name.startsWith(name.slice(0, -1)) : found.name === name
    return isNamed && found.licence === licence
  }
}

function describe({ name, version, licence }: Package): string {
  return `${name} ${version} is under ${licence === null ? 'no licence' : `"${licence}"`}`
}
