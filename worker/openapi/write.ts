// `npm run openapi`: writes docs/openapi.json and docs/codes.md. Tests compare both with its output.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { codesPage } from './codes-page.ts'
import { openApiDocument } from './document.ts'

const DOCS = join(import.meta.dirname, '../../docs')

const document = await openApiDocument(manifest.version)
writeFileSync(join(DOCS, 'openapi.json'), `${JSON.stringify(document, null, 2)}\n`)
writeFileSync(join(DOCS, 'codes.md'), codesPage())
