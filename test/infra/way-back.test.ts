import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { git, type History, previousCommit } from '../../infra/operate/commits.ts'
import { checkLayouts, checkMigrations, checkNames, layoutOf } from '../../infra/operate/way-back.ts'

const TABLES = 'worker/src/objects/tables.ts'
const DECLARATION = 'worker/wrangler.toml'
const FIRST = 'name = "sync"\nmain = "src/index.ts"\ncompatibility_date = "2026-10-20"\n'
const MIGRATION = '[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["Chronicle"]\n'

let root: string
/** Commit hashes by name, in the order of their history. */
const commits: Record<string, string> = {}

/** Commits the tree with files added or, where the text is null, removed. */
function commit(name: string, files: Readonly<Record<string, string | null>>): void {
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, file)
    mkdirSync(dirname(path), { recursive: true })
    if (text === null) rmSync(path)
    else writeFileSync(path, text)
  }
  git(root, 'add', '--all')
  git(root, '-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '-m', name)
  commits[name] = git(root, 'rev-parse', 'HEAD')
}

function goBack(from: string, to: string): void {
  checkMigrations(root, commits[from] ?? '', commits[to] ?? '')
  checkLayouts(root, commits[from] ?? '', commits[to] ?? '')
  checkNames(root, commits[from] ?? '', commits[to] ?? '')
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'chronicle-way-back-'))
  git(root, 'init', '--quiet')
  // 5b523d0 and earlier commits have tables but no layout number.
  commit('tables', { [TABLES]: 'one', [DECLARATION]: FIRST })
  commit('other tables', { [TABLES]: 'two' })
  commit('same tables', { 'README.md': 'text' })
  commit('layout 5', { 'worker/src/core/layout.ts': 'export const LAYOUT = 5\n' })
  commit('layout 5, moved', {
    [TABLES]: null,
    'worker/src/objects/store/tables.ts': 'two, with other imports',
    'worker/src/core/layout.ts': null,
    'worker/src/core/space/layout.ts': '/** Moved. */\nexport const LAYOUT = 5\n',
  })
  commit('layout 6', { 'worker/src/core/space/layout.ts': 'export const LAYOUT = 6\n' })
  commit('component', { 'infra/component/chronicle-sync.ts': 'export class ChronicleSync {}\n' })
  commit('after the component', { 'README.md': 'other text' })
  commit('migration', { [DECLARATION]: FIRST + MIGRATION })
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

test('reads the layout of a commit in any folder', () => {
  const names = ['tables', 'layout 5', 'layout 5, moved', 'layout 6']
  expect(names.map((name) => layoutOf(root, commits[name] ?? ''))).toEqual([undefined, 5, 5, 6])
})

test.each([
  ['same tables', 'other tables'],
  ['layout 5, moved', 'layout 5'],
  ['layout 5', 'layout 5, moved'],
  ['layout 5', 'layout 6'],
  ['after the component', 'component'],
])('goes back from "%s" to "%s"', (from, to) => {
  goBack(from, to)
})

test('refuses to go back to a commit that has other names for the resources', () => {
  expect(() => goBack('component', 'layout 6')).toThrow(
    `${commits['layout 6']?.slice(0, 12)} is from before the component ChronicleSync and knows the resources by other names, so it would make them again. Fix it forward`,
  )
})

test.each([
  ['other tables', 'tables', 'layout without a number', 'layout without a number'],
  ['layout 5', 'same tables', 'layout 5', 'layout without a number'],
  ['layout 5, moved', 'tables', 'layout 5', 'layout without a number'],
  ['layout 6', 'layout 5, moved', 'layout 6', 'layout 5'],
  ['layout 6', 'layout 5', 'layout 6', 'layout 5'],
])('refuses to go back from "%s" to "%s", which cannot read the spaces', (from, to, newer, older) => {
  expect(() => goBack(from, to)).toThrow(
    `spaces are stored in another form by ${commits[from]?.slice(0, 12)} (${newer}) than by ${commits[to]?.slice(0, 12)} (${older}), which cannot read it. Fix it forward`,
  )
})

test('refuses to go back past a migration', () => {
  expect(() => goBack('migration', 'layout 6')).toThrow(
    /^the migration "v1" lies between [0-9a-f]{12} and [0-9a-f]{12}, and Durable Object classes cannot go back\. Fix it forward$/,
  )
})

/** Makes an update of a stack's history. */
function update(name: string, isDirty: boolean): History[number] {
  const environment = { 'git.head': commits[name] ?? '', 'git.dirty': String(isDirty) }
  return { kind: 'update', result: 'succeeded', environment }
}

test('finds the newest commit before that was deployed from a clean tree', () => {
  const [first, second, third] = ['tables', 'other tables', 'same tables'] as const
  const history = [update(third, false), update(second, true), update(first, false)]
  expect(previousCommit(root, history, commits[third] ?? '')).toBe(commits[first])
  const returned = [update(third, false), update(first, false), update(second, false), update(first, false)]
  expect(previousCommit(root, returned, commits[third] ?? '')).toBe(commits[first])
})

test('says why there is no commit to go back to', () => {
  const current = commits['other tables'] ?? ''
  const history = [update('other tables', false)]
  expect(() => previousCommit(root, history, current)).toThrow(
    /^no earlier commit than [0-9a-f]{12} was deployed to this stack from a clean tree\. Check out the commit/,
  )
  expect(() => previousCommit(root, [...history, update('tables', true)], current)).toThrow(
    /from a clean tree \([0-9a-f]{12} was deployed with uncommitted changes: commit before you deploy, also the salt/,
  )
})
