// `npm run build`: the Worker's bundle and what it weighs. Fails when it grows past the limit.
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { RunError } from '@pulumi/pulumi/errors.js'
import { bundleWorker } from '../bundle.ts'
import { readDeclaration } from '../declaration.ts'
import { nameOf, weigh } from '../dependencies/packages.ts'

/**
 * Every cold start parses it all. 142,000 of it are the description of the API, which is to leave the script for a
 * static asset (issue 15). The platform itself takes 3 MB gzipped on its free plan.
 */
const MAX_BUNDLE_BYTES = 352_000

const ROOT = join(import.meta.dirname, '../..')

async function main(): Promise<void> {
  const { bytes, contentSha256, metafile } = await bundleWorker(ROOT, readDeclaration(ROOT).main)
  const gzipped = gzipSync(bytes, { level: 9 }).length
  for (const [source, weight] of weigh(metafile))
    console.log(`  ${nameOf(source).padEnd(24)} ${weight} bytes`)
  console.log(
    `dist/worker.js: ${bytes.length} bytes, ${gzipped} gzipped, sha256 ${contentSha256.slice(0, 12)}`,
  )
  if (bytes.length <= MAX_BUNDLE_BYTES) return
  console.error(`Error: the bundle is larger than ${MAX_BUNDLE_BYTES} bytes: see what grew in the list above`)
  process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof RunError ? `Error: ${error.message}` : error)
  process.exitCode = 1
})
