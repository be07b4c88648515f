import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newProject, type Project } from '../../support/cloud/project.ts'
import { freePort } from '../../support/free-port.ts'

const AUTH = { 'content-type': 'application/json' }

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `npm start` in a project of the test's own, without npm. */
function spawnStart({ root }: Project, args: readonly string[]): ChildProcess {
  // A killed runtime leaves temporary files, which are removed with the project.
  const env = { ...process.env, TMPDIR: root }
  const child = spawn(process.execPath, ['infra/local/start.ts', ...args], { cwd: root, env, stdio: 'pipe' })
  onTestFinished(() => {
    child.kill()
  })
  return child
}

async function start(project: Project, args: readonly string[]): Promise<Run> {
  const child = spawnStart(project, args)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (text: Buffer) => {
    stdout += text
  })
  child.stderr?.on('data', (text: Buffer) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

/** Resolves with the output once the stack is served. */
function served(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stdout?.on('data', (text: Buffer) => {
      printed += text
      if (/curl .*\n\n$/.test(printed)) resolve(printed)
    })
    child.once('exit', () => reject(new Error(`it ended: ${printed}`)))
  })
}

async function getWithHost(url: string, host: string): Promise<IncomingMessage> {
  const [response] = await once(request(url, { headers: { host } }).end(), 'response')
  return response.resume()
}

function readOutputs({ root }: Project) {
  return JSON.parse(readFileSync(join(root, '.local/outputs.json'), 'utf8'))
}

test('serves the dev stack once, and keeps its data when it stops, is killed or loses its runtime', async () => {
  const project = newProject()
  const local = join(project.root, '.local')
  // wrangler creates the folder with this mode.
  mkdirSync(local, { mode: 0o755 })
  const port = await freePort()
  const args = ['--port', String(port)]
  const child = spawnStart(project, args)
  const printed = await served(child)
  expect(printed).toMatch(/\+ +cloudflare:index:WorkersScript +chronicle-sync-script +create/)
  expect(printed).toContain(`curl http://127.0.0.1:${port}/api/health`)
  const link = new RegExp(`^Console .*: http://127\\.0\\.0\\.1:${port}/console/#code=[\\w-]{32}$`, 'm')
  expect(printed).toMatch(link)
  const outputs = readOutputs(project)
  expect(outputs).toMatchObject({ stack: 'dev', url: `http://127.0.0.1:${port}` })
  expect(statSync(join(project.root, '.local/outputs.json')).mode & 0o777).toBe(0o600)
  const kept = ['', ...readdirSync(local, { recursive: true, encoding: 'utf8' })]
  expect(kept.filter((path) => path.endsWith('.sqlite')).length).toBeGreaterThan(0)
  expect(kept.filter((path) => (statSync(join(local, path)).mode & 0o077) !== 0)).toEqual([])
  expect(printed).not.toContain(outputs.adminToken)
  expect(printed).not.toContain(outputs.clientToken)

  const body = JSON.stringify({ token: outputs.clientToken })
  const authenticated = await fetch(`${outputs.url}/api/auth`, { method: 'POST', headers: AUTH, body })
  expect(authenticated.status).toBe(200)
  expect((await getWithHost(`${outputs.url}/api/health`, 'localhost')).statusCode).toBe(200)
  expect((await getWithHost(`${outputs.url}/api/health`, 'sync.example.com')).statusCode).toBe(404)

  const second = await start(project, ['--port', String(port + 1)])
  expect(second).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Error: stack "dev" is already running \(process \d+\)\. [^\n]*\n$/),
  })

  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  const again = spawnStart(project, args)
  expect(await served(again)).toContain('Resources: 11 unchanged')
  expect(readOutputs(project)).toEqual(outputs)

  again.kill('SIGKILL')
  await once(again, 'exit')
  // The runtime of the killed process still holds the port and the data. This start ends the runtime.
  const last = spawnStart(project, args)
  let stderr = ''
  last.stderr?.on('data', (text: Buffer) => {
    stderr += text
  })
  await served(last)
  const [, runtime] = readFileSync(join(project.root, '.local/dev/lock'), 'utf8').split(' ').map(Number)
  process.kill(runtime ?? 0, 'SIGKILL')
  expect(await once(last, 'close')).toEqual([1, null])
  expect(stderr).toMatch(/^Error: the runtime \(workerd\) died\. [^\n]*\n$/)
})

test('ends with the shell that npm runs it in, and frees its port', async () => {
  const project = newProject()
  const port = await freePort()
  const env = { ...process.env, TMPDIR: project.root, npm_lifecycle_event: 'start' }
  // Without the second command, some shells would become the server.
  const command = `"${process.execPath}" infra/local/start.ts --port ${port}; true`
  const shell = spawn('sh', ['-c', command], { cwd: project.root, env, stdio: 'pipe' })
  await served(shell)
  const lock = join(project.root, '.local/dev/lock')
  expect(existsSync(lock)).toBe(true)
  shell.kill('SIGTERM')
  // The pipes close when the server, which has inherited them, has ended.
  await once(shell, 'close')
  expect(existsSync(lock)).toBe(false)
  await expect(fetch(`http://127.0.0.1:${port}/api/health`)).rejects.toThrow('fetch failed')
})

test.each<[string, (local: string) => void, RegExp]>([
  [
    'a file in place of the folder',
    (local) => writeFileSync(local, ''),
    /^Error: EEXIST: [^\n]*\.local'\. Make this path writable for you, or remove what is in its place\n$/,
  ],
  [
    'a file in place of the folder of the stack',
    (local) => {
      mkdirSync(local)
      writeFileSync(join(local, 'dev'), '')
    },
    /^Error: EEXIST: [^\n]*\.local\/dev'\. Make this path writable for you, or remove what is in its place\n$/,
  ],
  [
    'a broken state',
    (local) => {
      mkdirSync(join(local, 'dev'), { recursive: true })
      writeFileSync(join(local, 'dev/state.json'), '{')
    },
    /^Error: [^\n]*state\.json is not JSON: [^\n]*\. Put back a copy of its folder\. Without a copy, delete the folder: all data and secrets of the stack on this machine are in it, and go with it\n$/,
  ],
  [
    'a lost state',
    (local) => {
      mkdirSync(join(local, 'dev'), { recursive: true })
      writeFileSync(join(local, 'dev/account.json'), '{"namespaces": [{"id": "1", "title": "metadata"}]}')
    },
    /^Error: [^\n]*state\.json is missing, although the account beside it has resources\. Put back a copy/,
  ],
])('reports %s in one line', async (_what, damage, message) => {
  const project = newProject()
  damage(join(project.root, '.local'))
  const { code, stderr } = await start(project, ['--port', String(await freePort())])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) })
})

test('serves a hostname by the Host header, and no other host', async () => {
  const project = newProject()
  const port = await freePort()
  const args = ['--stack', 'prod', '--port', String(port), '--config', 'hostname=sync.example.com']
  const printed = await served(spawnStart(project, args))
  expect(printed).toContain(`curl -H 'Host: sync.example.com' http://127.0.0.1:${port}/api/health`)
  expect(printed).not.toContain('#code=')
  const url = `http://127.0.0.1:${port}/api/health`
  expect((await getWithHost(url, 'sync.example.com')).statusCode).toBe(200)
  const refused = await fetch(url)
  expect(refused.status).toBe(404)
  expect(await refused.text()).toBe(
    'Nothing is served at the host 127.0.0.1. Hosts of this stack: sync.example.com\n',
  )
})

test('reports each mistake in one line, before any work', async () => {
  const project = newProject()
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => {
    taken.close()
  })
  await once(taken, 'listening')
  const address = taken.address()
  const busy = String(typeof address === 'object' ? address?.port : 0)
  const free = String(await freePort())
  const mistakes: [string[], RegExp][] = [
    [['--prot', '1'], /^Error: Unknown option '--prot'\. Usage: npm start/],
    [['extra'], /^Error: Unexpected argument 'extra'\. Usage: npm start/],
    [['--port', 'x'], /^Error: --port is "x", expected a number from 1 to 65535$/],
    [['--port', '65536'], /^Error: --port is "65536", expected a number from 1 to 65535$/],
    [['--port', busy], new RegExp(`^Error: port ${busy} is busy\\. Choose another: --port \\d+$`)],
    [
      ['--stack', 'nope'],
      /^Error: there is no stack "nope", because there is no file Pulumi\.nope\.yaml\. Choose one with --stack: dev, prod\. For a new one, copy Pulumi\.pr\.yaml to Pulumi\.nope\.yaml$/,
    ],
    [['--config', 'x'], /^Error: --config is "x", expected key=value$/],
    [
      ['--stack', 'prod'],
      /^Error: chronicle-sync:hostname is missing while workersDev is false and there is no route, expected a host name/,
    ],
  ]
  for (const [args, message] of mistakes) {
    const { code, stderr } = await start(project, ['--port', free, ...args])
    expect(code).toBe(1)
    expect(stderr.trimEnd()).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
  }
})
