import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { Declaration } from './declaration.ts'

/** The static assets of one version. */
export interface Assets {
  /** The folder with the files, and nothing else. Relative to the folder of the program, where the provider resolves it. */
  readonly directory: string
  /** Rules for the headers of their responses, in the syntax of a `_headers` file. */
  readonly headers: string
  /** The SHA-256 in hex of each file by its path, before the version is written into it. */
  readonly files: Readonly<Record<string, string>>
}

/** The parts of one version of the Worker that a deployment needs. */
export interface Artifact {
  /** The version of the package and the digest of the code and the assets. */
  readonly version: string
  /** The number of the layout in which this version stores spaces. */
  readonly layout: number
  readonly declaration: Declaration
  /** Relative to the folder of the program, where the provider resolves it. */
  readonly contentFile: string
  /** The SHA-256 of that file, in hex. */
  readonly contentSha256: string
  /** The size of that file. */
  readonly scriptBytes: number
  readonly assets: Assets
}

/** The description of the artifact in the package, beside the script. */
export const ARTIFACT_FILE = 'artifact.json'

const Description = z.object({
  version: z.string(),
  layout: z.int(),
  declaration: Declaration,
  contentFile: z.string(),
  contentSha256: z.string(),
  scriptBytes: z.int(),
  assets: z.object({ directory: z.string(), headers: z.string(), files: z.record(z.string(), z.string()) }),
})

/** Reads the artifact that the package brings. */
export function readArtifact(): Artifact {
  const folder = join(import.meta.dirname, 'artifact')
  const description = Description.parse(JSON.parse(readFileSync(join(folder, ARTIFACT_FILE), 'utf8')))
  // The paths enter the state, so they must not name a folder of this machine.
  const here = (path: string) => relative(process.cwd(), join(folder, path)).replaceAll('\\', '/')
  const { contentFile, assets } = description
  return {
    ...description,
    contentFile: here(contentFile),
    assets: { ...assets, directory: here(assets.directory) },
  }
}
