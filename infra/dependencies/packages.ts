import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { z } from 'zod'

export interface Package {
  readonly name: string
  readonly version: string
  /** An SPDX expression, as its author says; null if it says nothing. */
  readonly licence: string | null
}

export interface BundledPackage extends Package {
  readonly bytes: number
}

/** What an author wrote in the place of the licence; what is no text says nothing. */
const licence = z.string().nullable().catch(null).default(null)

const Manifest = z.object({ name: z.string(), version: z.string(), license: licence })
const Lock = z.object({
  packages: z.record(z.string(), z.object({ version: z.string(), license: licence })),
})

/** Bytes in the bundle by where they come from: the folder of a package, a JSON file; our own sources are one. */
export function weigh({ outputs }: Metafile): readonly (readonly [source: string, bytes: number])[] {
  const weights = new Map<string, number>()
  const bundle = Object.entries(outputs).find(([path]) => path.endsWith('.js'))?.[1]
  for (const [path, { bytesInOutput }] of Object.entries(bundle?.inputs ?? {})) {
    const own = path.endsWith('.json') ? path : 'chronicle-sync'
    const source = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? own
    weights.set(source, (weights.get(source) ?? 0) + bytesInOutput)
  }
  return [...weights].sort(([, a], [, b]) => b - a)
}

/** The packages that ship, the heaviest first, as they are installed. */
export function bundledPackages(root: string, metafile: Metafile): readonly BundledPackage[] {
  return weigh(metafile)
    .filter(([source]) => source.includes('node_modules/'))
    .map(([folder, bytes]) => {
      const manifest = Manifest.parse(readJson(join(root, folder, 'package.json')))
      return { name: manifest.name, version: manifest.version, licence: manifest.license, bytes }
    })
}

/** Every package that the lock file has, for whatever machine. */
export function lockedPackages(root: string): readonly Package[] {
  const { packages } = Lock.parse(readJson(join(root, 'package-lock.json')))
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, license }]) => ({ name: nameOf(path), version, licence: license }))
}

/** What a package is called, by where it is installed. */
export function nameOf(folder: string): string {
  return folder.replace(/^.*node_modules\//, '')
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
