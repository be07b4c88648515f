import type { Artifact } from '../component/artifact.ts'
import { checkClasses } from '../component/classes.ts'
import { bundleWorker, exportsOf } from './bundle.ts'
import { readDeclaration } from './declaration.ts'
import { readLayout } from './layout.ts'

/** Builds the version of the Worker that this checkout has. */
export async function buildArtifact(root: string): Promise<Artifact> {
  const declaration = readDeclaration(root)
  const layout = readLayout(root)
  const bundle = await bundleWorker(root, declaration.main)
  checkClasses(declaration, exportsOf(bundle))
  const { version, contentFile, contentSha256, bytes } = bundle
  return { declaration, layout, version, scriptBytes: bytes.length, contentFile, contentSha256 }
}
