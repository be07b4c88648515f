import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { Declaration } from './declaration.ts'

/** The parts of one version of the Worker that a deployment needs. */
export interface Artifact {
  /** The version of the package and the digest of the code. */
  readonly version: string
  /** The number of the layout in which this version stores spaces. */
  readonly layout: number
  readonly declaration: Declaration
  /** Relative to the folder of the program, where the provider resolves it. */
  readonly contentFile: string
  /** The SHA-256 of that file, in hex. */
  readonly contentSha256: string
}

/** The description of the artifact in the package, beside the script. */
export const ARTIFACT_FILE = 'artifact.json'

const Description = z.object({
  version: z.string(),
  layout: z.int(),
  declaration: Declaration,
  contentFile: z.string(),
  contentSha256: z.string(),
})

/** Reads the artifact that the package brings. */
export function readArtifact(): Artifact {
  const folder = join(import.meta.dirname, 'artifact')
  const description = Description.parse(JSON.parse(readFileSync(join(folder, ARTIFACT_FILE), 'utf8')))
  // The path enters the state, so it must not name a folder of this machine.
  const contentFile = relative(process.cwd(), join(folder, description.contentFile)).replaceAll('\\', '/')
  return { ...description, contentFile }
}
