import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'chronicle-package-'))
let files: readonly string[]

/** The program of an app that uses the types of `index` and `memory`. */
const APP = `
import { type Chronicle, ChronicleError, openChronicle, type Row, type Status } from '@chronicle-sync/client'
import { MemoryStore } from '@chronicle-sync/client/memory'

interface Note { title: string; done?: boolean }

const options = { url: 'http://127.0.0.1:1', token: () => 'none', collections: ['notes'], store: new MemoryStore() }
const db: Chronicle = await openChronicle(options)
const notes = db.collection<Note>('notes')
await notes.put('n1', { title: 'milk' })
await notes.update('n1', (note) => { note.title = 'oat milk' })
const rows: readonly Row<Note>[] = await notes.all()
const status: Status = db.status.getSnapshot()
const stop: () => void = db.on('rejected', (trouble) => void trouble.retry(trouble.mine))
stop()
const code = await db.close().then(() => '', (thrown) => (thrown instanceof ChronicleError ? thrown.code : thrown))
await db.close({ discard: true })
console.log(JSON.stringify([rows, rows[0]?.$status, status.storage, code]))
`

/** Makes an empty folder an app that has installed the tarball. */
beforeAll(() => {
  execFileSync(process.execPath, ['client/build.ts', 'examples/notes'], { cwd: ROOT })
  const packing = [
    'pack',
    '--json',
    '--ignore-scripts',
    '--workspace',
    'client',
    '--pack-destination',
    folder,
  ]
  const [packed] = JSON.parse(execFileSync('npm', packing, { cwd: ROOT, encoding: 'utf8' }))
  files = packed.files.map(({ path }: { path: string }) => path)
  const installed = join(folder, 'node_modules/@chronicle-sync/client')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1', '-C', installed])
  symlinkSync(join(ROOT, 'node_modules/idb'), join(folder, 'node_modules/idb'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'app.ts'), APP)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('packs compiled modules with their declarations, a licence and a page, and no source', () => {
  expect(files).toEqual(
    expect.arrayContaining(['README.md', 'dist/LICENSE', 'dist/index.js', 'dist/index.d.ts']),
  )
  const others = files.filter((path) => !/^dist\/[\w/-]+(?:\.d\.ts|\.js)$/.test(path))
  expect(others.toSorted()).toEqual(['README.md', 'dist/LICENSE', 'package.json'])
  const modules = files.filter((path) => path.endsWith('.js')).map((path) => path.replace('.js', '.d.ts'))
  expect(modules.filter((path) => !files.includes(path))).toEqual([])
})

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])(
  'type-checks in a strict app, with the module kind %s and the resolution %s',
  async (module, resolution) => {
    const options = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    const compilerOptions = { ...options, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [] }
    const file = join(folder, `${module}.json`)
    const config = {
      compilerOptions: { ...compilerOptions, module, moduleResolution: resolution },
      files: ['app.ts'],
    }
    writeFileSync(file, JSON.stringify(config))
    const checked = await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', file])
    expect(checked.stdout).toBe('')
  },
)

test('runs in Node, as an ESM package', async () => {
  cpSync(join(folder, 'app.ts'), join(folder, 'run.ts'))
  const { stdout } = await run(process.execPath, [join(folder, 'run.ts')])
  expect(JSON.parse(stdout)).toEqual([[{ title: 'oat milk' }], 'pending', 'memory', 'unsynced'])
})
