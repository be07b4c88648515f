import { expect } from 'vitest'
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
