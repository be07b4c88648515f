import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { type Alteration, altering } from '../../support/alter.ts'

const folder = mkdtempSync(join(tmpdir(), 'alter-'))
const source = join(folder, 'worker/src')
mkdirSync(source, { recursive: true })
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(source, name), text)
}

write('limits.ts', 'export const LIMIT = 4 * 1024\nexport const TWICE: number = 2 * LIMIT\n')
write('other.ts', 'function hidden(): number {\n  return 1\n}\nexport const seen = () => hidden()\n')
write(
  'index.ts',
  `export { LIMIT, TWICE } from './limits.ts'
export { seen } from './other.ts'
export const early = double(1)
export function double<T extends number>(value: T): number {
  return 2 * value + hidden()
}
export async function* count(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n
}
function hidden(): number {
  return 0
}
`,
)

async function built(...alterations: readonly Alteration[]) {
  const { outputFiles } = await build({
    entryPoints: [join(source, 'index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    plugins: [altering(alterations)],
  })
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`)
}

test('changes a constant for the module that declares it too', async () => {
  expect(await built({ constant: 'LIMIT', value: '1' })).toMatchObject({ LIMIT: 1, TWICE: 2 })
  expect(await built({ constant: 'TWICE', value: '1' })).toMatchObject({ LIMIT: 4096, TWICE: 1 })
})

test('puts another function around one, for callers in its own module and before its declaration too', async () => {
  const module = await built({ function: 'double', with: '(original, value) => original(value) + 10' })
  expect(module.double(4)).toBe(18)
  expect(module.early).toBe(12)
})

test('puts another function around a generator', async () => {
  const module = await built({ function: 'count', with: '(original, to) => original(to + 1)' })
  const counted: number[] = []
  for await (const n of module.count(2)) counted.push(n)
  expect(counted).toEqual([0, 1, 2])
})

test('takes the function of one module where two have the name', async () => {
  const module = await built({ function: 'hidden', in: 'other.ts', with: '() => 5' })
  expect([module.seen(), module.double(1)]).toEqual([5, 2])
})

test.each([
  [{ constant: 'GONE', value: '1' }, 'the constant GONE is not in what is built'],
  [{ constant: 'LIM', value: '1' }, 'the constant LIM is not in what is built'],
  [{ function: 'gone', with: '' }, 'the function gone is not in what is built: find where this is decided'],
  [
    { function: 'hidden', with: '(original) => original()' },
    / hidden is declared in \w+.ts and \w+.ts: say which/,
  ],
])('fails to build where %j names no function or constant, or two', async (alteration, message) => {
  await expect(built(alteration)).rejects.toThrow(message)
})
