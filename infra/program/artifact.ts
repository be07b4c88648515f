import type { Artifact } from '../component/artifact.ts'
import { bundleWorker } from './bundle.ts'
import { readDeclaration } from './declaration.ts'
import { readLayout } from './layout.ts'

/** Builds the version of the Worker that this checkout has. */
export async function buildArtifact(root: string): Promise<Artifact> {
  const declaration = readDeclaration(root)
  const layout = readLayout(root)
  const { version, contentFile, contentSha256 } = await bundleWorker(root, declaration.main)
  return { declaration, layout, version, contentFile, contentSha256 }
}
