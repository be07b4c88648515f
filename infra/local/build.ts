// `npm run build`: bundles the Worker and its static assets, and prints what each package and each file weighs. Fails if
// the bundle exceeds its limit.
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { RunError } from '@pulumi/pulumi/errors.js'
import type { Metafile } from 'esbuild'
import { ROOT } from '../cli/root.ts'
import { artifactOf } from '../program/artifact.ts'
import { filesIn } from '../program/assets.ts'
import { bundleWorker } from '../program/bundle.ts'
import { readDeclaration } from '../program/declaration.ts'

/** The runtime parses the whole bundle at every cold start. The platform accepts 3 MB gzipped on its free plan. */
const MAX_BUNDLE_BYTES = 232_300

/** The bytes in the bundle by package, heaviest first. Our own sources count as one package. */
function weigh({ outputs }: Metafile): readonly (readonly [name: string, bytes: number])[] {
  const weights = new Map<string, number>()
  const bundle = Object.entries(outputs).find(([path]) => path.endsWith('.js'))?.[1]
  for (const [path, { bytesInOutput }] of Object.entries(bundle?.inputs ?? {})) {
    const name = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'chronicle-sync'
    weights.set(name, (weights.get(name) ?? 0) + bytesInOutput)
  }
  return [...weights].sort(([, a], [, b]) => b - a)
}

async function main(): Promise<void> {
  const declaration = readDeclaration(ROOT)
  const bundle = await bundleWorker(ROOT, declaration.main)
  const { version } = await artifactOf(ROOT, declaration, bundle)
  const { bytes, contentSha256, metafile } = bundle
  const gzippedBytes = gzipSync(bytes, { level: 9 }).length
  for (const [name, weight] of weigh(metafile)) console.log(`  ${name.padEnd(24)} ${weight} bytes`)
  console.log(
    `dist/worker.js: ${bytes.length} bytes, ${gzippedBytes} gzipped, sha256 ${contentSha256.slice(0, 12)}`,
  )
  for (const [path, { length }] of filesIn(join(ROOT, 'dist/assets')))
    console.log(`dist/assets${path}: ${length} bytes`)
  console.log(`version ${version}`)
  if (bytes.length <= MAX_BUNDLE_BYTES) return
  console.error(
    `Error: the bundle is larger than ${MAX_BUNDLE_BYTES} bytes. The list above shows what has grown. If the growth is intended, raise MAX_BUNDLE_BYTES in infra/local/build.ts and give the reason in the commit`,
  )
  process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof RunError ? `Error: ${error.message}` : error)
  process.exitCode = 1
})
