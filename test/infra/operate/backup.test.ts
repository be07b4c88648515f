import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { storedObjects } from '../../../infra/local/cloud/objects.ts'
import { backUpSpaces } from '../../../infra/operate/backup/backup-spaces.ts'
import { fileNameOf } from '../../../infra/operate/backup/export-file.ts'
import { beginRun } from '../../../infra/operate/backup/run-record.ts'
import { CHECKS, cleanUp, type Subject } from '../../../infra/operate/smoke-checks.ts'
import { COMPILED, runCommand } from '../../standin/command.ts'
import { listen } from '../fake-api.ts'
import {
  backUp,
  clock,
  cloud,
  entriesOf,
  erase,
  folder,
  leftTokens,
  newSpace,
  operate,
  printed,
  restore,
  running,
  service,
} from './operator.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')

async function revokeTokensOf(space: string): Promise<void> {
  const { tokens } = await operate('GET', '/api/tokens')
  for (const token of tokens) if (token.space === space) await operate('DELETE', `/api/tokens/${token.id}`)
}

test('backs up and restores more spaces than a minute allows, continues past a broken export, and leaves no token', async () => {
  const names = Array.from({ length: 30 }, (_, n) => `many ${String(n).padStart(2, '0')}`)
  const entries = new Map<string, unknown>()
  for (const name of names) entries.set(name, (await newSpace(name)).entries())
  const place = await service({ brokenExports: [5, 6] })
  expect(await backUp({}, { place })).toBe('the back-up is not complete: see above')
  const [broken = ''] = printed.filter((line) => line.startsWith('Not backed up: '))
  expect(broken).toMatch(/^Not backed up: [^:]+: its export ends early \(.+\): .*, see the Worker's log$/)
  // A backup needs three requests a space, and one for the list.
  expect(clock.waits).toContain(60_000)
  expect(printed).toContain('waiting 60 s: the service accepts no more for now (429)')
  expect(await leftTokens()).toEqual([])
  const files = readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
  expect(printed.at(-2)).toBe(`${files.length} of ${files.length + 1} spaces are in ${folder}`)

  printed.length = 0
  const waitsBefore = clock.waits.length
  expect(await backUp({}, { place })).toBe('complete')
  expect(clock.waits.slice(waitsBefore)).toEqual([])
  expect(printed[0]).toMatch(
    /^Continuing the back-up that started at 2\S+Z\. Use --again to start a new one$/,
  )
  expect(printed.at(-1)).toContain(`are in ${folder}, ${files.length} of them earlier in this run`)

  for (const name of names) await erase(name)
  expect(await restore(folder)).toBe('complete')
  for (const name of names) expect(await entriesOf(name)).toEqual(entries.get(name))
  expect(await leftTokens()).toEqual([])
})

test('reports a space whose last token was revoked, and saves it under the name of an older file', async () => {
  await newSpace('forgotten')
  await revokeTokensOf('forgotten')
  const ids = storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  expect(await backUp()).toBe('the back-up is not complete: see above')
  const [told = ''] = printed.filter((line) => line.includes('no token'))
  expect(told).toMatch(
    /^1 space holds entries and has no token that names it:\n {2}[0-9a-f]{64}: 3 entries\nTo back them up as well, mint a token /,
  )
  expect(ids).toContain(/[0-9a-f]{64}/.exec(told)?.[0])

  // The space had a token at an earlier back-up, which left an older state under the name of the space.
  const header = {
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space: 'forgotten',
    epoch: 'e',
    head: 'e.1',
  }
  const old = [
    { ...header, exportedAt: 1 },
    { type: 'end', entries: 0, cursor: 'e.1' },
  ]
  const file = join(folder, fileNameOf('forgotten'))
  writeFileSync(file, old.map((line) => `${JSON.stringify(line)}\n`).join(''))
  writeFileSync(join(folder, fileNameOf('gone')), readFileSync(file, 'utf8').replace('forgotten', 'gone'))
  expect(await backUp()).toBe('complete')
  expect(printed).toContain(`without a token  ${file}: 3 entries`)
  expect(printed).toContain('From earlier back-ups, not from this one: gone.ndjson')
  expect(readFileSync(join(folder, fileNameOf('gone')), 'utf8')).toContain('"entries":0')
  expect(await leftTokens()).toEqual([])
  await erase('forgotten')
})

test('does not take a space that is first written during the back-up as a sign of another stack', async () => {
  await newSpace('newborn')
  const all = storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  const { tokens } = await operate('GET', '/api/tokens')
  const { spaceId } = tokens.find(({ space }) => space === 'newborn') ?? {}
  const lists = [all.filter((id) => id !== spaceId), all]
  expect(lists[0]).toHaveLength(all.length - 1)
  const wanted = { folder, again: false, listObjects: async () => lists.shift() ?? [] }
  await backUpSpaces(await service(), wanted)
})

test('reports a back-up that finds nothing as not complete', async () => {
  const erased = { generation: 1, spaces: [{ id: 'erased', state: 'done', entries: 0 }] }
  let resealed: object = erased
  const server = createServer(({ url }, response) => {
    response.statusCode = url === '/api/tokens' || resealed === erased ? 200 : 422
    response.end(JSON.stringify(url === '/api/tokens' ? { tokens: [], next: null } : resealed))
  })
  const place = { api: await listen(server), adminToken: 'x', clock }
  expect(await backUp({}, { place, objects: [] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(
    /^nothing was found: .* Check that http:\S+ is the right service, .* --stack names/,
  )
  expect(await backUp({}, { place, objects: ['erased'] })).toBe('complete')
  expect(printed.slice(-2)).toEqual([
    'No token names a space, and no object of the stack holds entries',
    `0 of 0 spaces are in ${folder}`,
  ])
  resealed = { code: 'invalid-request', detail: 'spaces/0: no object of the class Chronicle has this id' }
  expect(await backUp({}, { place, objects: ['foreign'] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(
    /not known: .* has this id\. If .* another stack, name the right one with --stack$/,
  )
})

test('reports objects that it cannot list: no account, another stack', async () => {
  expect(await backUp({}, { objects: ['0'.repeat(64)] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(/belong to another stack[.,] [Nn]ame the right one with --stack$/)
  // A stack that was deployed and never used lists no objects.
  expect(await backUp({}, { objects: [] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(/: .+ holds entries but is not among the listed objects, .* --stack$/)
  const env = { CHRONICLE_ADMIN_TOKEN: running.outputs.adminToken, CLOUDFLARE_ACCOUNT_ID: '' }
  const args = ['infra/operate/backup.ts', running.url, folder, '--again']
  const { code, printed: said } = await runCommand(process.execPath, args, { cwd: CHECKOUT, env })
  expect(code).toBe(1)
  expect(said).toMatch(
    /other spaces may hold data, which is not known: CLOUDFLARE_ACCOUNT_ID is not set, [^\n]*\n/,
  )
  expect(said).toMatch(/spaces are in .*\n[\s\S]*Error: the back-up is not complete: see above\n$/)
})

test.each([
  ['backup', 'a file in its place'],
  ['restore', 'nothing'],
])('reports a folder that cannot be used in one line: %s, %s', async (name) => {
  const path = join(folder, 'file', 'folder')
  writeFileSync(join(folder, 'file'), '')
  const env = { CHRONICLE_ADMIN_TOKEN: 'x' }
  const args = [`infra/operate/${name}.ts`, 'http://127.0.0.1:9', path]
  const { code, printed: said } = await runCommand(process.execPath, args, { cwd: CHECKOUT, env })
  expect(code).toBe(1)
  expect(said).toMatch(/^Error: [^\n]* cannot be (written|read): ENOTDIR[^\n]*\n$/)
})

test('ends the back-up with one line if a file cannot be written, and leaves no token', async () => {
  await newSpace('full')
  const file = join(folder, fileNameOf('full'))
  mkdirSync(`${file}.part`)
  expect(await backUp()).toMatch(/cannot be written: EISDIR/)
  expect(await leftTokens()).toEqual([])
})

test('waits in every tool for a token that is not found for a minute, and gives up after a minute and a half', async () => {
  await newSpace('late')
  expect(await backUp({ unknownMs: 60_000 })).toBe('complete')
  await erase('late')
  expect(await restore(join(folder, fileNameOf('late')), { unknownMs: 60_000 })).toBe('complete')
  const subject: Subject = {
    ...(await service({ unknownMs: 60_000 })),
    version: undefined,
    space: 'smoke-late',
    token: '',
    tokenId: '',
    sessions: ['', ''],
    hasPage: true,
    version1: '',
  }
  for (const { run } of CHECKS) await run(subject)
  await cleanUp(subject)
  expect(await backUp({ unknownMs: 200_000 }, { again: true })).toBe('the back-up is not complete: see above')
  expect(printed).toContainEqual(
    expect.stringMatching(/^Not backed up: late: POST \/api\/auth answered 401: The token is not valid here/),
  )
  expect(await leftTokens()).toEqual([])
})

test('revokes its token when interrupted, and keeps the files that are complete', async () => {
  await newSpace('one')
  await newSpace('two')
  let child: ReturnType<typeof spawn> | undefined
  /** Remaining lifetimes of the tool's token, ms: the longest export, and not much more. */
  let left: readonly number[] = []
  const { api, adminToken } = await service({
    perMinute: 1000,
    async before(request, exports) {
      if (request === 'GET /api/export' && exports === 2) {
        const { tokens } = await operate('GET', '/api/tokens')
        left = tokens.filter(({ name }) => name === 'backup').map(({ expiresAt }) => expiresAt - Date.now())
        child?.kill('SIGINT')
        await new Promise((resolve) => child?.once('close', resolve))
      }
      // A terminal also signals npm, which forwards the signal. The second signal arrives while the token is being revoked.
      if (left.length > 0 && request.startsWith('DELETE')) child?.kill('SIGINT')
      await setTimeout(50)
    },
  })
  const options = { cwd: CHECKOUT, env: { ...process.env, ...COMPILED, CHRONICLE_ADMIN_TOKEN: adminToken } }
  child = spawn(process.execPath, ['infra/operate/backup.ts', api, folder], options)
  const [code] = await once(child, 'close')
  expect(code).toBe(130)
  expect(left.map((ms) => Math.round(ms / 60_000))).toEqual([60])
  expect(await leftTokens()).toEqual([])
  expect(readdirSync(folder).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1)
})

test('loses only a torn line of the run record, and continues with the rest in later runs', () => {
  const options = { api: 'https://sync.example.com', again: false, clock }
  beginRun(folder, 'back-up', options).note('a')
  const file = join(folder, 'backup.run')
  appendFileSync(file, '"b')
  beginRun(folder, 'back-up', options).note('c')
  expect([...beginRun(folder, 'back-up', options).done]).toEqual(['a', 'c'])
  // An older release wrote the next name into the torn line.
  appendFileSync(file, '"d"e"\n"f"\n')
  expect([...beginRun(folder, 'back-up', options).done]).toEqual(['a', 'c', 'f'])
  writeFileSync(file, readFileSync(file, 'utf8').slice(5))
  expect([...beginRun(folder, 'back-up', options).done]).toEqual([])
})

test('gives each space a file name of its own on every file system', () => {
  const long = '字'.repeat(128)
  const spaces = ['ann', 'Ann', 'ANN', 'a/n', 'a%2Fn', '..', 'ключ', 'КЛЮЧ', long, `${long.slice(1)}文`]
  const names = spaces.map((space) => fileNameOf(space).toLowerCase())
  expect(new Set(names).size).toBe(spaces.length)
  for (const name of names) expect(Buffer.byteLength(`${name}.part`)).toBeLessThan(256)
})
