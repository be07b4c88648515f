import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** The most bytes of each import, gzipped, as an app bundles it. An adapter counts by what it adds. */
const LIMITS: Readonly<Record<string, number>> = {
  // The goal is 12,000: docs/decisions/client/0037-the-client.md says where the bytes are.
  index: 19_500,
  memory: 1_500,
  react: 1_500,
  'tanstack-db': 1_500,
  rxdb: 1_600,
}

async function bundled(code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: 'client/src', loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['react', 'rxdb', 'rxdb/*', 'rxjs', '@tanstack/db'],
    write: false,
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}

const CORE = "export * from './index.ts'"

/** The bytes of the core or of the store in memory, or those that an adapter adds to the core. */
async function sizeOf(name: string): Promise<number> {
  const own = `export * from './${name}.ts'`
  if (name === 'index' || name === 'memory') return bundled(own)
  return (await bundled(`${CORE}; ${own}`)) - (await bundled(CORE))
}

test.each(Object.entries(LIMITS))('stays small: %s', async (name, limit) => {
  expect(await sizeOf(name)).toBeLessThanOrEqual(limit)
})

test('names its sizes in docs/client.md', async () => {
  const table = readFileSync('docs/client.md', 'utf8')
  for (const name of Object.keys(LIMITS)) {
    const path = name === 'index' ? '@chronicle-sync/client`' : `@chronicle-sync/client/${name}\``
    const row = table.split('\n').find((line) => line.startsWith(`| \`${path}`))
    const named = Number(row?.split('|')[3]?.trim())
    expect([name, Math.abs(named - (await sizeOf(name)) / 1000) < 0.15]).toEqual([name, true])
  }
})
