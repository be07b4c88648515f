import { RunError } from '@pulumi/pulumi/errors.js'
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
  checkPromised(version)
  return { declaration, layout, version, scriptBytes: bytes.length, contentFile, contentSha256 }
}

/** Refuses any other version than the one that a delivery has tried in another stack. A version contains the digest of its code. */
function checkPromised(version: string): void {
  const promised = process.env.CHRONICLE_VERSION
  if (!promised || promised === version) return
  throw new RunError(
    `this checkout builds the version ${version}, but the one to deploy is ${promised}, which ran in another stack. Deliver the commit of that version, or deliver this one to the other stack first`,
  )
}
