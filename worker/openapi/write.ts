// `npm run openapi`: writes docs/openapi.json anew. A test compares it with what this would write.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { openApiDocument } from './document.ts'

const document = await openApiDocument(manifest.version)
writeFileSync(join(import.meta.dirname, '../../docs/openapi.json'), `${JSON.stringify(document, null, 2)}\n`)
