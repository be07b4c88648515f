// `npm run bundle:list`: writes docs/dependencies.md anew. A test compares it with what this would write.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorker } from '../program/bundle.ts'
import { readDeclaration } from '../program/declaration.ts'
import { describeBundle } from './document.ts'
import { bundledPackages } from './packages.ts'

const ROOT = join(import.meta.dirname, '../..')

const { metafile } = await bundleWorker(ROOT, readDeclaration(ROOT).main)
writeFileSync(join(ROOT, 'docs/dependencies.md'), describeBundle(bundledPackages(ROOT, metafile)))
