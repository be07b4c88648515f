import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { storedObjects } from '../../infra/local/objects.ts'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { backUpSpaces } from '../../infra/operate/backup-spaces.ts'
import { fileNameOf } from '../../infra/operate/export-file.ts'
import type { Service } from '../../infra/operate/persist.ts'
import { restoreSpaces } from '../../infra/operate/restore-spaces.ts'
import { beginRun } from '../../infra/operate/run-record.ts'
import { CHECKS, cleanUp, type Subject } from '../../infra/operate/smoke-checks.ts'
import { runCommand } from '../standin/command.ts'
import { mintToken, testCloud } from '../support/cloud.ts'
import { OfflineDevice } from '../support/offline-device.ts'
import { listen } from './fake-api.ts'
import { type FakeClock, fakeClock, limitedService, type Unkindness } from './limited-service.ts'

const CHECKOUT = join(import.meta.dirname, '../..')
const cloud = testCloud()
let running: RunningCloud
let clock: FakeClock
let folder: string
/** What the tools print, on either stream. */
let printed: string[]

beforeAll(async () => {
  running = await cloud.start()
})
afterAll(() => cloud.remove())

beforeEach(() => {
  clock = fakeClock()
  folder = mkdtempSync(join(tmpdir(), 'chronicle-backup-'))
  printed = []
  for (const stream of ['log', 'error'] as const) {
    vi.spyOn(console, stream).mockImplementation((line) => printed.push(String(line)))
  }
  onTestFinished(() => {
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true, force: true })
  })
})

async function service(unkind?: Unkindness): Promise<Service> {
  const { adminToken } = running.outputs
  return { api: await limitedService(running.url, clock, unkind), adminToken, clock }
}

/** Backs everything up; the message of its end if it is not complete. */
async function backUp(
  unkind?: Unkindness,
  options: { again?: boolean; objects?: string[]; place?: Service } = {},
): Promise<string> {
  const listObjects = async () => options.objects ?? storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  const wanted = { folder, again: options.again ?? false, listObjects }
  return backUpSpaces(options.place ?? (await service(unkind)), wanted).then(
    () => 'complete',
    (cause: Error) => cause.message,
  )
}

async function restore(path: string, unkind?: Unkindness, place?: Service): Promise<string> {
  return restoreSpaces(place ?? (await service(unkind)), path, false).then(
    () => 'complete',
    (cause: Error) => cause.message,
  )
}

async function operate(method: string, path: string, body?: object, bearer = running.outputs.adminToken) {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  return (await (await fetch(running.url + path, init)).json()) as Record<string, string> & {
    tokens: { name: string; id: string; space: string; spaceId: string; expiresAt: number }[]
  }
}

/** The names of the tokens that tools have left behind. */
async function leftTokens(): Promise<readonly string[]> {
  const { tokens } = await operate('GET', '/api/tokens')
  return tokens.map(({ name }) => name).filter((name) => ['backup', 'restore', 'smoke check'].includes(name))
}

/** A space with some entries, and a device of it. */
async function newSpace(space: string): Promise<OfflineDevice> {
  const device = new OfflineDevice('phone', running.url)
  await device.open(await mintToken(running, space))
  for (let n = 0; n < 3; n++) device.put(`notes/${n}`, { n, space })
  await device.sync()
  return device
}

async function entriesOf(space: string): Promise<unknown> {
  const device = new OfflineDevice('tablet', running.url)
  await device.open(await mintToken(running, space))
  await device.sync()
  return device.entries()
}

async function erase(space: string): Promise<void> {
  const wanted = { subject: 'operator', space, scopes: ['space:admin'] }
  const { token, id } = await operate('POST', '/api/tokens', wanted)
  const { session } = await operate('POST', '/api/auth', { token })
  expect(await operate('DELETE', '/api/space', { confirm: space }, session)).toEqual({ success: true })
  await operate('DELETE', `/api/tokens/${id}`)
}

async function revokeTokensOf(space: string): Promise<void> {
  const { tokens } = await operate('GET', '/api/tokens')
  for (const token of tokens) if (token.space === space) await operate('DELETE', `/api/tokens/${token.id}`)
}

test('more spaces than a minute allows are backed up and restored whole, past one that breaks off, and no token stays', async () => {
  const names = Array.from({ length: 30 }, (_, n) => `many ${String(n).padStart(2, '0')}`)
  const entries = new Map<string, unknown>()
  for (const name of names) entries.set(name, (await newSpace(name)).entries())
  const place = await service({ brokenExports: [5, 6] })
  expect(await backUp({}, { place })).toBe('the back-up is not complete: see above')
  const [broken = ''] = printed.filter((line) => line.startsWith('Not backed up: '))
  expect(broken).toMatch(/^Not backed up: [^:]+: its export breaks off \(.+\): .*, see the Worker's log$/)
  // Three requests a space, one for the list.
  expect(clock.waits).toContain(60_000)
  expect(printed).toContain('waiting 60 s: the service takes no more for now (429)')
  expect(await leftTokens()).toEqual([])
  const files = readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
  expect(printed.at(-2)).toBe(`${files.length} of ${files.length + 1} spaces are in ${folder}`)

  printed = []
  const waitsBefore = clock.waits.length
  expect(await backUp({}, { place })).toBe('complete')
  expect(clock.waits.slice(waitsBefore)).toEqual([])
  expect(printed[0]).toMatch(/^Going on with the back-up that began at 2\S+Z; --again begins a new one$/)
  expect(printed.at(-1)).toContain(`are in ${folder}, ${files.length} of them earlier in this run`)

  for (const name of names) await erase(name)
  expect(await restore(folder)).toBe('complete')
  for (const name of names) expect(await entriesOf(name)).toEqual(entries.get(name))
  expect(await leftTokens()).toEqual([])
})

test('a space whose last token was revoked is told, and saved under the name that an older file has', async () => {
  await newSpace('forgotten')
  await revokeTokensOf('forgotten')
  const ids = storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  expect(await backUp()).toBe('the back-up is not complete: see above')
  const [told = ''] = printed.filter((line) => line.includes('no token'))
  expect(told).toMatch(
    /^1 space holds entries and has no token that names it:\n {2}[0-9a-f]{64}: 3 entries\nTo have them as well, mint a token /,
  )
  expect(ids).toContain(/[0-9a-f]{64}/.exec(told)?.[0])

  // A back-up of the time when it had one: an older state of it, under its name.
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
  expect(printed).toContain('Of earlier back-ups, not of this one: gone.ndjson')
  expect(readFileSync(join(folder, fileNameOf('gone')), 'utf8')).toContain('"entries":0')
  expect(await leftTokens()).toEqual([])
  await erase('forgotten')
})

test('a space that is first written to during the back-up is no sign of another stack', async () => {
  await newSpace('newborn')
  const all = storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  const { tokens } = await operate('GET', '/api/tokens')
  const { spaceId } = tokens.find(({ space }) => space === 'newborn') ?? {}
  const lists = [all.filter((id) => id !== spaceId), all]
  expect(lists[0]).toHaveLength(all.length - 1)
  const wanted = { folder, again: false, listObjects: async () => lists.shift() ?? [] }
  await backUpSpaces(await service(), wanted)
})

test('a back-up that finds nothing at all is told, and is not complete', async () => {
  const erased = { generation: 1, spaces: [{ id: 'erased', state: 'done', entries: 0 }] }
  let resealed: object = erased
  const server = createServer(({ url }, response) => {
    response.statusCode = url === '/api/tokens' || resealed === erased ? 200 : 422
    response.end(JSON.stringify(url === '/api/tokens' ? { tokens: [], next: null } : resealed))
  })
  const place = { api: await listen(server), adminToken: 'x', clock }
  expect(await backUp({}, { place, objects: [] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(/^nothing was found: .* Check that http:\S+ is the service .* --stack names/)
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

test('what cannot be listed is told: no account, another stack', async () => {
  expect(await backUp({}, { objects: ['0'.repeat(64)] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(/of another stack, name the right one with --stack$/)
  // A stack that was deployed and never used.
  expect(await backUp({}, { objects: [] })).toBe('the back-up is not complete: see above')
  expect(printed.at(-1)).toMatch(
    /: .+ holds entries and is not among the objects that were listed\. .* --stack$/,
  )
  const env = { CHRONICLE_ADMIN_TOKEN: running.outputs.adminToken, CLOUDFLARE_ACCOUNT_ID: '' }
  const args = ['infra/operate/backup.ts', running.url, folder, '--again']
  const { code, printed: said } = await runCommand(process.execPath, args, { cwd: CHECKOUT, env })
  expect(code).toBe(1)
  expect(said).toMatch(
    /whether other spaces hold data is not known: CLOUDFLARE_ACCOUNT_ID is not set: [^\n]*\n/,
  )
  expect(said).toMatch(/spaces are in .*\n[\s\S]*Error: the back-up is not complete: see above\n$/)
})

test.each([
  ['backup', 'a file that is none'],
  ['restore', 'nothing'],
])('%s of a folder that cannot be used is one line: %s', async (name) => {
  const path = join(folder, 'file', 'folder')
  writeFileSync(join(folder, 'file'), '')
  const env = { CHRONICLE_ADMIN_TOKEN: 'x' }
  const args = [`infra/operate/${name}.ts`, 'http://127.0.0.1:9', path]
  const { code, printed: said } = await runCommand(process.execPath, args, { cwd: CHECKOUT, env })
  expect(code).toBe(1)
  expect(said).toMatch(/^Error: [^\n]* cannot be (written|read): ENOTDIR[^\n]*\n$/)
})

test('a folder that fills up ends the back-up with one line, and no token stays', async () => {
  await newSpace('full')
  const file = join(folder, fileNameOf('full'))
  mkdirSync(`${file}.part`)
  expect(await backUp()).toMatch(/cannot be written: EISDIR/)
  expect(await leftTokens()).toEqual([])
})

test('a token that is not found for a minute is waited for, by every tool, and no longer than a minute and a half', async () => {
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

test('a space that was restored and then edited is told not to be empty', async () => {
  const device = await newSpace('edited')
  await backUp()
  const file = join(folder, fileNameOf('edited'))
  expect(await restore(file)).toMatch(/^edited: POST .* answered 409: The space is not empty/)
  await erase('edited')
  expect(await restore(file)).toBe('complete')
  expect(await restore(file)).toBe('complete')
  expect(printed.slice(-2)).toEqual([
    'edited: 3 entries',
    'edited: 3 entries are there already, as this file has them',
  ])
  const again = new OfflineDevice('phone', running.url)
  await again.open(await mintToken(running, 'edited'))
  again.delete('notes/0')
  await again.sync()
  expect(await restore(file)).toMatch(
    /^edited: the space is not empty: it was filled from this file before and has been written to since\. Nothing was restored/,
  )
  expect(device.entries().size).toBe(3)
})

test('a folder is restored past what fails, and the next run asks for that alone', async () => {
  for (const space of ['kept', 'lost']) await newSpace(space)
  await backUp()
  const some = join(folder, 'some')
  mkdirSync(some)
  for (const name of ['kept.ndjson', 'lost.ndjson']) copyFileSync(join(folder, name), join(some, name))
  await erase('lost')
  const place = await service()
  expect(await restore(some, {}, place)).toBe('not everything is restored: see above')
  expect(printed.slice(-2)).toEqual([
    `1 of 2 files of ${some} are restored`,
    expect.stringMatching(/^Not restored: kept: POST .* answered 409: The space is not empty/),
  ])
  await erase('kept')
  printed = []
  expect(await restore(some, {}, place)).toBe('complete')
  expect(printed).toEqual([
    expect.stringMatching(/^Going on with the restore that began at /),
    '1 of 2  kept: 3 entries',
    `2 of 2 files of ${some} are restored`,
  ])
  expect(await leftTokens()).toEqual([])
})

test('an import that was cut off goes on, and a file that broke off is not begun', async () => {
  const device = await newSpace('cut')
  await backUp()
  const file = join(folder, fileNameOf('cut'))
  const lines = readFileSync(file, 'utf8').split('\n')
  await erase('cut')
  const { token } = await operate('POST', '/api/tokens', {
    subject: 'x',
    space: 'cut',
    scopes: ['space:admin'],
  })
  const { session } = await operate('POST', '/api/auth', { token })
  const headers = { authorization: `Bearer ${session}`, 'content-type': 'application/x-ndjson' }
  await fetch(`${running.url}/api/import`, { method: 'POST', headers, body: lines.slice(0, 2).join('\n') })
  expect(await restore(file)).toBe('complete')
  expect(await entriesOf('cut')).toEqual(device.entries())

  writeFileSync(file, lines.slice(0, 3).join('\n'))
  expect(await restore(file)).toMatch(/^cut: cut\.ndjson broke off, it has no end: nothing was sent/)
  writeFileSync(file, '{}\n')
  expect(await restore(file)).toContain(`${file} is no backup: its first line is no header of an export`)
  expect(await restore(join(folder, 'none'))).toMatch(/ cannot be read: ENOENT/)
})

test('a tool that is interrupted takes its token back, and goes on where it was', async () => {
  await newSpace('one')
  await newSpace('two')
  let child: ReturnType<typeof spawn> | undefined
  /** How long the token lives that is in use then: as long as the longest export, and not much longer. */
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
      // A terminal sends the signal to npm too, which passes it on: it comes while the token is being taken back.
      if (left.length > 0 && request.startsWith('DELETE')) child?.kill('SIGINT')
      await setTimeout(50)
    },
  })
  const options = { cwd: CHECKOUT, env: { ...process.env, CHRONICLE_ADMIN_TOKEN: adminToken } }
  child = spawn(process.execPath, ['infra/operate/backup.ts', api, folder], options)
  const [code] = await once(child, 'close')
  expect(code).toBe(130)
  expect(left.map((ms) => Math.round(ms / 60_000))).toEqual([60])
  expect(await leftTokens()).toEqual([])
  expect(readdirSync(folder).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1)
})

test('a torn line of the run record is lost alone: the runs that follow go on with the rest', () => {
  const options = { api: 'https://sync.example.com', again: false, clock }
  beginRun(folder, 'back-up', options).note('a')
  const file = join(folder, 'backup.run')
  appendFileSync(file, '"b')
  beginRun(folder, 'back-up', options).note('c')
  expect([...beginRun(folder, 'back-up', options).done]).toEqual(['a', 'c'])
  // A run of an older release has written the next name into the torn line.
  appendFileSync(file, '"d"e"\n"f"\n')
  expect([...beginRun(folder, 'back-up', options).done]).toEqual(['a', 'c', 'f'])
  writeFileSync(file, readFileSync(file, 'utf8').slice(5))
  expect([...beginRun(folder, 'back-up', options).done]).toEqual([])
})

test('names of files are those of one space each, whatever the file system tells apart', () => {
  const long = '字'.repeat(128)
  const spaces = ['ann', 'Ann', 'ANN', 'a/n', 'a%2Fn', '..', 'ключ', 'КЛЮЧ', long, `${long.slice(1)}文`]
  const names = spaces.map((space) => fileNameOf(space).toLowerCase())
  expect(new Set(names).size).toBe(spaces.length)
  for (const name of names) expect(Buffer.byteLength(`${name}.part`)).toBeLessThan(256)
})
