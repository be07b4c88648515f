import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Account, createNamespace, type Script } from '../../../infra/local/cloud/account.ts'
import { assetsFolder } from '../../../infra/local/cloud/assets.ts'
import { serveAccount } from '../../../infra/local/cloud/runtime.ts'
import { filesIn, writeDevAssets } from '../../../infra/program/assets.ts'
import { runCommand } from '../../standin/command.ts'
import { Metadata, toMigrations } from '../../standin/metadata.ts'
import { newStandIn, type StandIn, writesOf } from '../../standin/stand-in.ts'
import { newProject, type Project } from '../../support/cloud/project.ts'

const NAME = 'chronicle-sync'
const ASSETS = [
  `POST /workers/scripts/${NAME}/assets-upload-session`,
  'POST /workers/assets/upload?base64=true',
  'POST /workers/assets/upload?base64=true',
  'POST /workers/assets/upload?base64=true',
]
const UPLOAD = `PUT /workers/scripts/${NAME}?excludeScript=true&bindings_inherit=strict`

/** Declared values that the stack replaces, besides ids, secrets and datasets. */
const OF_THE_STACK = ['VERSION']

interface Deployed {
  readonly account: Account
  readonly folder: string
  readonly script: Script
}

/**
 * Makes a project and replaces the placeholder by the id of a KV namespace in the stand-in, as a user would. Builds the
 * assets, as `npm run dev` does.
 */
async function projectFor({ account, changeByHand }: StandIn): Promise<Project> {
  const project = newProject()
  await writeDevAssets(project.root)
  changeByHand(() => {
    const id = createNamespace(account, 'metadata')
    project.edit('worker/wrangler.toml', (toml) => toml.replace('set-by-the-stack', id))
  })
  return project
}

/** Runs the unmodified `wrangler deploy` from npm. */
async function wranglerDeploy({ root }: Project, standIn: StandIn, secrets: object): Promise<void> {
  const secretsFile = join(root, 'secrets.json')
  writeFileSync(secretsFile, JSON.stringify(secrets))
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const env = {
    CI: 'true',
    CLOUDFLARE_API_BASE_URL: standIn.url,
    CLOUDFLARE_API_TOKEN: standIn.token,
    CLOUDFLARE_ACCOUNT_ID: standIn.accountId,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    XDG_CONFIG_HOME: join(root, '.config'),
  }
  const args = [wrangler, 'deploy', '--cwd', 'worker', '--secrets-file', secretsFile]
  const { code, printed } = await runCommand(process.execPath, args, { cwd: root, env })
  expect(code, printed).toBe(0)
}

async function pulumiDeploy(): Promise<Deployed & { readonly migrations: unknown }> {
  const project = newProject()
  const { account, steps } = await project.up('dev')
  const [script] = account.scripts
  if (!script) throw new Error('the stack has no script')
  const { inputs = {} } =
    steps.find(({ resource }) => resource.name === 'chronicle-sync-script')?.resource ?? {}
  return { account, folder: join(project.root, '.local/dev'), script, migrations: inputs.migrations }
}

function secretsOf({ bindings }: Script): Readonly<Record<string, string>> {
  const secrets = bindings.filter(({ type }) => type === 'secret_text')
  return Object.fromEntries(secrets.map(({ name, text }) => [name, String(text)]))
}

function scriptOf({ account }: StandIn): Script {
  const script = account.scripts.find(({ name }) => name === NAME)
  if (!script) throw new Error('nothing was deployed')
  return script
}

/** Returns a script without the parts that may differ between two deployments of one declaration. */
function comparable({ bindings, classes, ...script }: Script): object {
  const { compatibilityDate, compatibilityFlags, observability, migrationTag, workersDev, assets } = script
  const settings = { compatibilityDate, compatibilityFlags, observability, migrationTag, workersDev, assets }
  const shown = bindings.map(({ name, type, className, simple, text, json }) => {
    const value = type === 'secret_text' || OF_THE_STACK.includes(name) ? undefined : (text ?? json)
    return { name, type, className, simple, value }
  })
  return { ...settings, classes: Object.keys(classes), bindings: shown }
}

/** Lists the files of the static assets, without the pages, which name the version. */
function assetsOf({ folder, script }: Deployed): ReadonlyMap<string, Uint8Array> {
  const files = filesIn(assetsFolder(folder, script.name))
  return new Map([...files].filter(([path]) => !path.endsWith('.html')))
}

interface Seen {
  readonly status: number
  /** Reply with each value replaced by its type. */
  readonly reply: unknown
}

/** Mints a token, opens a session, syncs, reads back, and sends an unauthorized request. Returns the replies. */
async function behaviourOf({ account, folder, script }: Deployed): Promise<readonly Seen[]> {
  const cloud = await serveAccount({ account, folder, port: 0, onLog() {} })
  onTestFinished(() => cloud.stop())
  async function call(method: string, path: string, bearer: string, body?: object) {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    const response = await fetch(`http://127.0.0.1:${cloud.port}${path}`, init)
    const reply = (await response.json()) as Record<string, unknown>
    return { status: response.status, reply }
  }
  const admin = secretsOf(script).ADMIN_TOKEN ?? ''
  const minted = await call('POST', '/api/tokens', admin, {
    subject: 'ann',
    scopes: ['sync:read', 'sync:write'],
  })
  const opened = await call('POST', '/api/auth', '', { token: minted.reply.token, clientId: 'phone' })
  const session = String(opened.reply.session)
  const change = { key: 'notes/1', value: { title: 'a note' }, timestamp: Date.now() }
  const synced = await call('POST', '/api/sync', session, { batch: 1, changes: [change] })
  const read = await call('GET', '/api/entries?key=notes/1', session)
  const refused = await call('GET', '/api/status', 'nobody')
  return [minted, opened, synced, read, refused].map(({ status, reply }) => ({
    status,
    reply: shapeOf(reply),
  }))
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
}

test('deploys the same script by `wrangler deploy` as by the stack, and both serve alike', async () => {
  const standIn = await newStandIn()
  const project = await projectFor(standIn)
  const stack = await pulumiDeploy()
  await wranglerDeploy(project, standIn, secretsOf(stack.script))
  const script = scriptOf(standIn)
  expect(comparable(script)).toEqual(comparable(stack.script))
  const deployed = { account: standIn.account, folder: standIn.folder, script }
  expect(assetsOf(deployed).size).toBe(5)
  expect(assetsOf(deployed)).toEqual(assetsOf(stack))

  const upload = standIn.requests.find(({ metadata }) => metadata)
  expect(writesOf(standIn)).toEqual([...ASSETS, UPLOAD, `POST /workers/scripts/${NAME}/subdomain`])
  const { migrations } = Metadata.parse(upload?.metadata)
  expect(migrations && toMigrations(migrations)).toEqual(stack.migrations)

  const behaviour = await behaviourOf(deployed)
  expect(behaviour.map(({ status }) => status)).toEqual([201, 200, 200, 200, 401])
  expect(behaviour).toEqual(await behaviourOf(stack))
})

test('sends no migrations in a second `wrangler deploy`, and keeps secrets that are not passed again', async () => {
  const standIn = await newStandIn()
  const project = await projectFor(standIn)
  await wranglerDeploy(project, standIn, { ADMIN_TOKEN: 'a', MASTER_KEY: 'b', SESSION_KEY: 'c' })
  const first = scriptOf(standIn)
  const seen = standIn.requests.length
  await wranglerDeploy(project, standIn, {})
  expect(writesOf(standIn, seen)).toEqual([
    ASSETS[0],
    `POST /workers/scripts/${NAME}/versions?bindings_inherit=strict`,
    `POST /workers/scripts/${NAME}/deployments`,
    `PATCH /workers/scripts/${NAME}/script-settings`,
    `POST /workers/scripts/${NAME}/subdomain`,
  ])
  const [upload] = standIn.requests.slice(seen).filter(({ metadata }) => metadata)
  expect(upload?.metadata).not.toHaveProperty('migrations')
  const { modifiedOn, ...second } = scriptOf(standIn)
  expect({ ...second, modifiedOn: first.modifiedOn }).toEqual(first)
  expect(modifiedOn).not.toBe(first.modifiedOn)
})
