import { globSync, readFileSync } from 'node:fs'

/** Reads every package.json under node_modules: hundreds of real documents. */
export function realDocuments(): ReadonlyMap<string, unknown> {
  const documents = new Map<string, unknown>()
  for (const file of globSync('node_modules/**/package.json').sort()) {
    const document = parse(readFileSync(file, 'utf8'))
    if (document !== undefined) documents.set(`packages/${file}`, document)
  }
  return documents
}

/** Parses JSON. Some package.json files are templates or test cases, and not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
