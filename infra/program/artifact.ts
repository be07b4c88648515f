import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { z } from 'zod'
import type { Artifact } from '../component/artifact.ts'
import { checkClasses } from '../component/classes.ts'
import type { Declaration } from '../component/declaration.ts'
import { readAssets, writeAssets } from './assets.ts'
import { type Bundle, bundleWorker, exportsOf } from './bundle.ts'
import { readDeclaration } from './declaration.ts'
import { readLayout } from './layout.ts'

/** The folder of the built assets, from the root. */
const ASSETS = 'dist/assets'

const Package = z.object({ version: z.string() })

/** Builds the version of the Worker that this checkout has: its script, and beside it the folder of its assets. */
export async function buildArtifact(root: string): Promise<Artifact> {
  const declaration = readDeclaration(root)
  const bundle = await bundleWorker(root, declaration.main)
  checkClasses(declaration, exportsOf(bundle))
  const artifact = await artifactOf(root, declaration, bundle)
  checkPromised(artifact.version)
  return artifact
}

/** Adds the assets to a bundle of this checkout. */
export async function artifactOf(
  root: string,
  declaration: Declaration,
  { contentFile, contentSha256, bytes }: Bundle,
): Promise<Artifact> {
  const layout = readLayout(root)
  const sources = await readAssets(root)
  const { headers, files } = sources
  // The version covers everything that is uploaded, so that a change of a page alone is another version too.
  const uploaded = JSON.stringify([contentSha256, headers, files])
  const digest = createHash('sha256').update(uploaded).digest('hex')
  const version = `${releaseOf(root)}+${digest.slice(0, 12)}`
  writeAssets(join(root, ASSETS), sources, version)
  const assets = { directory: `../${ASSETS}`, headers, files }
  return { declaration, layout, version, scriptBytes: bytes.length, contentFile, contentSha256, assets }
}

function releaseOf(root: string): string {
  return Package.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version
}

/**
 * Refuses any other version than the one that a delivery has tried in another stack. A version contains the digest of its
 * code and assets.
 */
function checkPromised(version: string): void {
  const promised = process.env.CHRONICLE_VERSION
  if (!promised || promised === version) return
  throw new RunError(
    `this checkout builds the version ${version}, but the one to deploy is ${promised}, which ran in another stack. Deliver the commit of that version, or deliver this one to the other stack first`,
  )
}
