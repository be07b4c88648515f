import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkLayouts } from '../../infra/operate/way-back.ts'
import { newProject } from '../support/cloud/project.ts'
import { freePort } from '../support/free-port.ts'
import { LAST_RELEASE, lastRelease } from './release.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Runs `npm start` of a checkout until it serves. Returns its outputs and its end. */
async function start(root: string) {
  const child = spawn(process.execPath, ['infra/local/start.ts', '--port', String(await freePort())], {
    cwd: root,
    env: { ...process.env, TMPDIR: root },
    stdio: 'pipe',
  })
  onTestFinished(() => void child.kill())
  await serving(child)
  const outputs: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(root, '.local/outputs.json'), 'utf8'),
  )
  async function stop(): Promise<void> {
    child.kill('SIGINT')
    await once(child, 'close')
  }
  return { url: outputs.url ?? '', token: outputs.clientToken ?? '', stop }
}

function serving(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        printed += text
        if (printed.includes('Serving ')) resolve()
      })
    }
    child.once('exit', () => reject(new Error(`it ended: ${printed}`)))
  })
}

interface Change {
  readonly key: string
  readonly value: unknown
  readonly timestamp: number
}

function change(name: string, title: string): Change {
  return { key: `notes/${name}`, value: { title }, timestamp: 1795347000000 }
}

/** Opens a session with the client token, and returns it. */
async function open({ url, token }: { url: string; token: string }, clientId: string): Promise<string> {
  return (await call(`${url}/api/auth`, '', { token, clientId })).session
}

function push(url: string, session: string, batch: { batch: number; changes: readonly Change[] }) {
  return call(`${url}/api/sync`, session, batch)
}

async function call(url: string, session: string, body?: object) {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${session}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })
  expect(response.status, url).toBe(200)
  // Replies of two versions, which this test reads like an untyped client.
  return JSON.parse(await response.text())
}

test('upgrades a live stack of the last release with its data, and refuses the way back with the reason', async ({
  skip,
}) => {
  const release = lastRelease()
  if (release === null) return skip('the history of this checkout does not reach back to the last release')
  onTestFinished(release.remove)

  const old = await start(release.root)
  const phone = await open(old, 'phone')
  await push(old.url, phone, { batch: 1, changes: [change('a', 'one'), change('b', 'two')] })
  await old.stop()

  const project = newProject()
  cpSync(join(release.root, '.local'), join(project.root, '.local'), { recursive: true })
  const upgraded = await start(project.root)
  expect(upgraded.token).toBe(old.token)
  // The session of before continues, and a retry of its last batch has no second effect.
  const retry = { batch: 1, changes: [change('a', 'one'), change('b', 'two')] }
  expect(await push(upgraded.url, phone, retry)).toMatchObject({ replayed: true })
  await push(upgraded.url, phone, { batch: 2, changes: [change('c', 'three')] })
  const tablet = await open(upgraded, 'tablet')
  const { changes } = await call(`${upgraded.url}/api/changes`, tablet)
  expect(changes.map(({ key, value }: Change) => [key, value])).toEqual([
    ['notes/a', { title: 'one' }],
    ['notes/b', { title: 'two' }],
    ['notes/c', { title: 'three' }],
  ])
  await upgraded.stop()

  const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  expect(() => checkLayouts(ROOT, head, LAST_RELEASE)).toThrow(
    /^spaces are stored in another form by [0-9a-f]{12} \(layout \d+\) than by [0-9a-f]{12}/,
  )
})
