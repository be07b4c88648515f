import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Artifact } from '../component/artifact.ts'
import { readAssets, writeAssets } from './assets.ts'
import { type Bundle, bundleWorker } from './bundle.ts'
import { readDeclaration } from './declaration.ts'
import { readLayout } from './layout.ts'

/** The folder of the built assets, from the root. */
const ASSETS = 'dist/assets'

const Package = z.object({ version: z.string() })

/** Builds the version of the Worker that this checkout has: its script, and beside it the folder of its assets. */
export async function buildArtifact(root: string): Promise<Artifact> {
  return artifactOf(root, await bundleWorker(root, readDeclaration(root).main))
}

/** Adds the assets to a bundle of this checkout. */
export function artifactOf(root: string, { contentFile, contentSha256 }: Bundle): Artifact {
  const sources = readAssets(root)
  const { headers, files } = sources
  // The version covers everything that is uploaded, so that a change of a page alone is another version too.
  const uploaded = JSON.stringify([contentSha256, headers, files])
  const digest = createHash('sha256').update(uploaded).digest('hex')
  const version = `${releaseOf(root)}+${digest.slice(0, 12)}`
  writeAssets(join(root, ASSETS), sources, version)
  const assets = { directory: `../${ASSETS}`, headers, files }
  return {
    declaration: readDeclaration(root),
    layout: readLayout(root),
    version,
    contentFile,
    contentSha256,
    assets,
  }
}

function releaseOf(root: string): string {
  return Package.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version
}
