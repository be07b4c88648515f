import { expect } from 'vitest'
import { HOSTNAME } from '../support/cloud/project.ts'
import { newStack, pulumiTest, type Stack } from './stack.ts'

const PACK = ['--policy-pack', 'infra/policy']

async function deploy(stack: Stack): Promise<void> {
  const { code, printed } = await stack.up(...PACK)
  expect(code, printed).toBe(0)
}

pulumiTest('passes a deployment within the policies, and the next ones too', async () => {
  const stack = await newStack()
  const first = await stack.preview(...PACK)
  expect(first.code, first.printed).toBe(0)
  await deploy(stack)
  stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  await stack.set('masterKeys', '[2, 1]')
  await deploy(stack)
  const settled = await stack.preview('--expect-no-changes', ...PACK)
  expect(settled.code, settled.printed).toBe(0)
})

pulumiTest.each([
  ['jurisdiction', 'eu', 'The jurisdiction changes from none to eu'],
  ['masterKeys', '[2]', 'which takes away master key 1'],
])('refuses a changed %s because of what it would take away', async (key, value, message) => {
  const stack = await newStack()
  await deploy(stack)
  await stack.set(key, value)
  const preview = await stack.preview(...PACK)
  expect(preview.code).not.toBe(0)
  expect(preview.printed).toContain(message)
})

pulumiTest('refuses to delete a class with its data in production, but not to rename it', async () => {
  const stack = await newStack('prod')
  await stack.set('hostname', HOSTNAME.hostname)
  await deploy(stack)
  stack.project.edit('worker/src/index.ts', (text) => text.replace('Chronicle', 'Chronicle as Ledger'))
  const deleting = 'deleted_classes = ["Chronicle"]\nnew_sqlite_classes = ["Ledger"]'
  stack.project.edit('worker/wrangler.toml', (text) =>
    text
      .replace('class_name = "Chronicle"', 'class_name = "Ledger"')
      .concat(`\n[[migrations]]\ntag = "v3"\n${deleting}\n`),
  )
  const refused = await stack.preview(...PACK)
  expect(refused.code).not.toBe(0)
  expect(refused.printed).toContain(
    'A migration deletes the class Chronicle, and with it all data of its objects',
  )
  stack.project.edit('worker/wrangler.toml', (text) =>
    text.replace(deleting, 'renamed_classes = [{ from = "Chronicle", to = "Ledger" }]'),
  )
  await deploy(stack)
  expect(stack.uploads()[0]?.metadata).toMatchObject({
    migrations: { steps: [{ renamed_classes: [{ from: 'Chronicle', to: 'Ledger' }] }] },
  })
})
