// `npm run build`: bundles the Worker and prints what each package weighs. Fails if the bundle exceeds its limit.
import { gzipSync } from 'node:zlib'
import { RunError } from '@pulumi/pulumi/errors.js'
import type { Metafile } from 'esbuild'
import { ROOT } from '../cli/root.ts'
import { bundleWorker } from '../program/bundle.ts'
import { readDeclaration } from '../program/declaration.ts'

/**
 * The runtime parses the whole bundle at every cold start. 135,000 bytes are the OpenAPI document, which is to become
 * a static asset. The platform accepts 3 MB gzipped on its free plan.
 */
const MAX_BUNDLE_BYTES = 352_000

/** The bytes in the bundle by package, heaviest first. Our own sources count as one package, a JSON file as another. */
function weigh({ outputs }: Metafile): readonly (readonly [name: string, bytes: number])[] {
  const weights = new Map<string, number>()
  const bundle = Object.entries(outputs).find(([path]) => path.endsWith('.js'))?.[1]
  for (const [path, { bytesInOutput }] of Object.entries(bundle?.inputs ?? {})) {
    const own = path.endsWith('.json') ? path : 'chronicle-sync'
    const name = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? own
    weights.set(name, (weights.get(name) ?? 0) + bytesInOutput)
  }
  return [...weights].sort(([, a], [, b]) => b - a)
}

async function main(): Promise<void> {
  const { bytes, contentSha256, metafile } = await bundleWorker(ROOT, readDeclaration(ROOT).main)
  const gzippedBytes = gzipSync(bytes, { level: 9 }).length
  for (const [name, weight] of weigh(metafile)) console.log(`  ${name.padEnd(24)} ${weight} bytes`)
  console.log(
    `dist/worker.js: ${bytes.length} bytes, ${gzippedBytes} gzipped, sha256 ${contentSha256.slice(0, 12)}`,
  )
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
