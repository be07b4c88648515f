// `npm run openapi`: writes docs/openapi.json and docs/codes.md. Tests compare them with what this would write.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { openApiDocument } from './document.ts'
import { codesPage } from './table.ts'

const DOCS = join(import.meta.dirname, '../../docs')

const document = await openApiDocument(manifest.version)
writeFileSync(join(DOCS, 'openapi.json'), `${JSON.stringify(document, null, 2)}\n`)
writeFileSync(join(DOCS, 'codes.md'), codesPage())
