import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { assetsFolder } from '../../infra/local/cloud/assets.ts'
import { newStack, pulumiTest, type Stack } from './stack.ts'

const SESSION = 'POST /workers/scripts/chronicle-sync-dev/assets-upload-session'
const FILES = 'POST /workers/assets/upload?base64=true'
const UPLOAD = 'PUT /workers/scripts/chronicle-sync-dev'

async function deploy(stack: Stack): Promise<readonly string[]> {
  const { code, printed } = await stack.up()
  expect(code, printed).toBe(0)
  return stack.writes()
}

async function newDeployedStack(): Promise<Stack> {
  const stack = await newStack()
  await deploy(stack)
  return stack
}

async function expectSettled(stack: Stack): Promise<void> {
  const again = await stack.up('--expect-no-changes')
  expect(again.code, again.printed).toBe(0)
  expect([...stack.writes(), ...stack.assetCalls()]).toEqual([])
  const refreshed = await stack.preview('--refresh', '--expect-no-changes')
  expect(refreshed.code, refreshed.printed).toBe(0)
}

function changePage({ project }: Stack): void {
  project.edit('worker/assets/index.html', (text) => text.replace('by accident', 'by chance'))
}

function changeCode({ project }: Stack, file: string): void {
  project.edit(file, (text) => `${text}\nconsole.debug('changed')\n`)
}

/** Lists the static assets that a preview shows as changed. */
function changedAssets(printed: string): readonly string[] {
  const [, listed = ''] = /~ assets +: \{\n([^}]*)\}/.exec(printed) ?? []
  return [...listed.matchAll(/~ (\/\S+)/g)].map(([, path = '']) => path)
}

function deployedPage({ standIn }: Stack): string {
  return readFileSync(join(assetsFolder(standIn.folder, 'chronicle-sync-dev'), 'index.html'), 'utf8')
}

pulumiTest(
  'uploads the assets with the script, once, and a changed page alone without migrations',
  async () => {
    const stack = await newDeployedStack()
    expect(stack.assetCalls()).toEqual([SESSION, FILES, FILES, FILES])
    expect(stack.uploads()[0]?.metadata).toMatchObject({
      assets: {
        config: {
          _headers: readFileSync('worker/assets.headers', 'utf8'),
          html_handling: 'auto-trailing-slash',
          not_found_handling: 'none',
        },
      },
    })
    await expectSettled(stack)

    changePage(stack)
    const preview = await stack.preview('--diff')
    expect(changedAssets(preview.printed)).toEqual(['/index.html'])
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(stack.assetCalls()).toEqual([SESSION, FILES])
    expect(stack.uploads()[0]?.metadata).not.toHaveProperty('migrations')
    expect(deployedPage(stack)).toContain('by chance')
    await expectSettled(stack)
  },
)

pulumiTest(
  'keeps the assets when the code alone changes, and uploads only the pages, which name the version',
  async () => {
    const stack = await newDeployedStack()
    changeCode(stack, 'worker/src/index.ts')
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(stack.assetCalls()).toEqual([SESSION, FILES])
    expect(deployedPage(stack)).toContain('<meta name="version" content="0.1.0+')
    await expectSettled(stack)
  },
)

pulumiTest(
  'uploads a changed source of the console as that file, the two pages that name the version, and the script',
  async () => {
    const stack = await newDeployedStack()
    changeCode(stack, 'console/src/main.ts')
    const preview = await stack.preview('--diff')
    expect(changedAssets(preview.printed)).toEqual(['/console/console.js'])
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(stack.assetCalls()).toEqual([SESSION, FILES, FILES])
    expect(stack.uploads()[0]?.metadata).not.toHaveProperty('migrations')
    await expectSettled(stack)
  },
)

pulumiTest(
  'refuses to deploy assets whose completion token was lost, and repairs it with the next `up`',
  async () => {
    const stack = await newDeployedStack()
    changePage(stack)
    stack.standIn.loseToken()
    const lost = await stack.up()
    expect(lost.code, lost.printed).not.toBe(0)
    expect(lost.printed).toMatch(/assets/)
    expect(deployedPage(stack)).toContain('by accident')
    await deploy(stack)
    expect(deployedPage(stack)).toContain('by chance')
    await expectSettled(stack)
  },
)
