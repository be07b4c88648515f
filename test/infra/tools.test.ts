import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { twoArguments } from '../../infra/cli/command-line.ts'
import { lineOf } from '../../infra/cli/user-error.ts'
import { DEV_SECRETS_FILE, writeDevSecrets } from '../../infra/local/dev-secrets.ts'
import { COMPILED } from '../standin/command.ts'
import { newProject, type Project } from '../support/cloud/project.ts'

const CHECKOUT = join(import.meta.dirname, '../..')

function build({ root }: Project) {
  return spawnSync(process.execPath, ['infra/local/build.ts'], { cwd: root, encoding: 'utf8' })
}

test('generates the secrets for `wrangler dev` once, readable by their owner only', () => {
  const { root } = newProject()
  const file = join(root, DEV_SECRETS_FILE)
  writeFileSync(file, 'MASTER_KEY="mine"\n')
  writeDevSecrets(root, ['ADMIN_TOKEN', 'MASTER_KEY'])
  const made = readFileSync(file, 'utf8')
  expect(parseEnv(made)).toEqual({
    ADMIN_TOKEN: expect.stringMatching(/^adm_dev_[0-9a-f]{64}$/),
    MASTER_KEY: 'mine',
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  writeDevSecrets(root, ['ADMIN_TOKEN', 'MASTER_KEY'])
  expect(readFileSync(file, 'utf8')).toBe(made)
})

test('restricts the folders of `wrangler dev` to their owner, even if they existed before', () => {
  const { root } = newProject()
  mkdirSync(join(root, '.local/wrangler'), { recursive: true, mode: 0o755 })
  const { status } = spawnSync(process.execPath, ['infra/local/dev.ts', '--help'], { cwd: root })
  expect(status).toBe(0)
  for (const folder of ['.local', '.local/wrangler']) {
    expect(statSync(join(root, folder)).mode & 0o777, folder).toBe(0o700)
  }
})

test.each(['EACCES', 'EEXIST', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'])(
  'says in one line what a file system refuses, and what to do: %s',
  (code) => {
    const refused = Object.assign(new Error(`${code}: no, mkdir '/x/.local'`), { code, path: '/x/.local' })
    expect(lineOf(refused)).toBe(
      `Error: ${code}: no, mkdir '/x/.local'. Make this path writable for you, or remove what is in its place`,
    )
    const defect = new Error('a defect')
    expect(lineOf(defect)).toBe(defect)
  },
)

test('takes exactly two arguments, with --again anywhere among them', () => {
  const usage = 'npm run backup -- URL FOLDER'
  expect(twoArguments(['a', '--again', 'b'], usage)).toEqual(['a', 'b', true])
  expect(twoArguments(['a', 'b'], usage)).toEqual(['a', 'b', false])
  for (const args of [[], ['a'], ['a', 'b', 'c']]) {
    expect(() => twoArguments(args, usage)).toThrow(/^Usage: npm run backup -- URL FOLDER$/)
  }
  expect(() => twoArguments(['a', 'b', '--agian'], usage)).toThrow(
    /^Unknown option '--agian'\. Usage: npm run backup -- URL FOLDER$/,
  )
})

test.each([
  ['operate/smoke', 'npm run smoke -- URL '],
  ['operate/backup', 'npm run backup -- URL FOLDER '],
  ['operate/restore', 'npm run restore -- URL FILE|FOLDER '],
  ['operate/sweep', 'npm run sweep -- URL '],
  ['operate/rollback', 'npm run rollback -- '],
  ['operate/preview', 'npm run preview -- '],
  ['operate/deploy', 'npm run deploy -- '],
  ['operate/stacks', 'npm run stacks'],
  ['doctor/doctor', 'npm run doctor -- '],
  ['setup/state-r2', 'eval "$(npm run --silent state:r2 -- '],
  ['local/start', 'npm start -- '],
])('shows the usage of a script for --help: %s', (script, usage) => {
  const options = { cwd: CHECKOUT, env: { ...process.env, ...COMPILED }, encoding: 'utf8' } as const
  for (const help of ['--help', '-h']) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`infra/${script}.ts`, help], options)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.startsWith(`Usage: ${usage}`)).toBe(true)
    expect(stdout.trimEnd()).not.toContain('\n')
  }
})

test('prints what the bundle weighs, and fails if it exceeds the limit', () => {
  const project = newProject()
  project.edit('worker/src/index.ts', () => "import * as z from 'zod/mini'\nexport default z.object({})\n")
  const good = build(project)
  expect(good.status).toBe(0)
  expect(good.stdout).toMatch(/^ {2}zod +\d+ bytes\n/)
  expect(good.stdout).toMatch(/^dist\/worker\.js: \d+ bytes, \d+ gzipped, sha256 [0-9a-f]{12}\n/m)
  expect(good.stdout).toMatch(/^dist\/assets\/index\.html: \d+ bytes\n/m)
  expect(good.stdout).toMatch(/\nversion \d+\.\d+\.\d+\+[0-9a-f]{12}\n$/)

  project.edit('worker/src/index.ts', () => `export default '${'x'.repeat(1_000_000)}'\n`)
  expect(build(project)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^Error: the bundle is larger than/),
  })

  project.edit('worker/src/index.ts', () => 'export default (')
  expect(build(project)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^Error: worker\/src\/index\.ts:1:17: /),
  })
})
