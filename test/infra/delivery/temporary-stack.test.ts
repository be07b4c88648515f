import { expect, test } from 'vitest'
import { runner } from './with-runner.ts'

test('creates, checks and removes a temporary stack, and leaves the stack beside it', async () => {
  expect(await runner.run('node_modules/.bin/pulumi stack select --create dev')).toMatchObject({ code: 0 })
  runner.commit('the stack dev')
  const opened = await runner.deliver('open', 'pr-7')
  expect(runner.written('output.txt')).toContain('state=OPEN\n')
  expect(opened.code, opened.output).toBe(0)
  expect(opened.output).toContain('ok     takes everything back')
  const blind = await runner.deliver('close', 'pr-7', { CLI_STATE: `${runner.state}/nowhere` })
  expect(blind.code).not.toBe(0)
  expect(blind.output).not.toContain('nothing to close')
  expect((await runner.deliver('close', 'pr-7')).code).toBe(0)
  expect(runner.git('status', '--porcelain')).toBe('')
  expect(await runner.deliver('close', 'pr-7')).toMatchObject({
    code: 0,
    output: expect.stringContaining('There is no stack pr-7: nothing to close'),
  })
  expect((await runner.run('node_modules/.bin/pulumi stack select pr-7')).output).toContain(
    "no stack named 'pr-7' found",
  )
  expect(await runner.run('node_modules/.bin/pulumi stack select dev')).toMatchObject({ code: 0 })
  for (const [step, stack] of [
    ['close', 'prod'],
    ['open', 'dev'],
    ['nothing', 'dev'],
  ] as const) {
    expect((await runner.deliver(step, stack)).code).toBe(2)
  }
})
