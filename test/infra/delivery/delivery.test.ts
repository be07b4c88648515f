import { expect, test } from 'vitest'
import { secretsOf } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { restlessDevice } from './restless-device.ts'
import { STEPS } from './runner.ts'
import { runner } from './with-runner.ts'

/** Secrets and settings of the account, which the workflow's first step does not have. */
const NO_ACCOUNT = {
  CLOUDFLARE_API_TOKEN: '',
  CLOUDFLARE_ACCOUNT_ID: '',
  PULUMI_CONFIG_PASSPHRASE: '',
}

let token: string

async function health(): Promise<{ version: string }> {
  return (await fetch(`${runner.url}/api/health`)).json() as Promise<{ version: string }>
}

test('refuses to deliver the salt of a new stack before it is committed, because no rollback could go back to it', async () => {
  expect(await runner.run('node_modules/.bin/pulumi stack select --create dev')).toMatchObject({ code: 0 })
  expect(runner.git('status', '--porcelain')).toBe('M Pulumi.dev.yaml')
  const delivered = await runner.deliver('up', 'dev')
  expect(delivered.code).toBe(1)
  expect(delivered.output).toContain(
    'Error: uncommitted changes would be deployed, and no rollback could go back to them. Commit them first, also the salt that pulumi writes into Pulumi.dev.yaml: Pulumi.dev.yaml\n',
  )
  runner.commit('version 1')
})

test('delivers a stack by the steps of the workflow, and serves its version', async () => {
  expect(STEPS).toHaveLength(4)
  const prepared = await runner.run(STEPS[0] ?? '', NO_ACCOUNT)
  expect(prepared).toMatchObject({ code: 0, output: expect.stringContaining('dist/worker.js: ') })
  const first = await runner.deliver('up', 'dev')
  expect(first.code, first.output).toBe(0)
  expect(first.output).toContain('The stack dev can be deployed.')
  expect(first.output).toContain('ok     takes everything back')
  expect((await health()).version).toMatch(/^0\.1\.0\+[0-9a-f]{12}$/)
  expect(runner.written('output.txt')).toBe(`version=${(await health()).version}\n`)
  const seen = runner.written('arguments.txt')
  expect(seen).toContain('infra/operate/smoke.ts')
  expect(secretsOf(runner.state).filter((secret) => seen.includes(secret))).toEqual([])
  token = await runner.mintToken()
})

test('rolls back a version that fails its check, and loses no data of a device', async () => {
  const before = await health()
  const { device, seen, screen, start } = restlessDevice('phone', runner.url, token)
  const stop = await start()
  runner.edit('worker/src/http/routes/space.ts', (text) =>
    text.replace('return jsonText(text)', "throw new Error('broken')"),
  )
  runner.commit('a broken version')
  const delivered = await runner.deliver('up', 'dev')
  await stop()
  expect(delivered.code).toBe(1)
  expect(delivered.output).toContain('WRONG  takes a batch')
  expect(runner.written('summary.txt')).toMatch(
    /^The delivery of dev failed, so it goes back to the previous commit\. WRONG {2}takes a batch: /,
  )
  expect(delivered.output).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1/)
  expect(await health()).toMatchObject({ version: before.version })
  const other = new OfflineDevice('tablet', runner.url)
  await other.open(token)
  await other.sync()
  expect(other.entries()).toEqual(device.entries())
  const { opened, frames, pages } = screen.seen
  expect(opened).toBeGreaterThanOrEqual(3)
  // Only the first connection pulls. After a reconnect, all changes arrive as frames.
  expect(frames).toBeGreaterThan(pages)
  console.info(`switched twice: ${seen.failures} of ${seen.attempts} requests failed`)
  console.info(`a socket was opened again ${opened - 1} times: ${frames} frames, ${pages} pages pulled`)
  expect(runner.git('worktree', 'list').split('\n')).toHaveLength(1)
})

test('goes back to the good version after the next one too, not to the broken version', async () => {
  runner.git('revert', '--no-edit', 'HEAD')
  runner.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('next')\n`)
  runner.commit('the next version')
  const next = await runner.run('node_modules/.bin/pulumi up --stack dev')
  expect(next.code, next.output).toBe(0)
  const back = await runner.run('npm run --silent rollback -- --stack dev --yes')
  expect(back.code, back.output).toBe(0)
  expect(back.output).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1\n/)
})

test('deploys no other version than the one that another stack has run', async () => {
  runner.git('revert', '--no-edit', 'HEAD')
  const { version } = await health()
  const other = await runner.deliver('up', 'dev', { VERSION: '0.1.0+0123456789ab' })
  expect(other.code).toBe(1)
  expect(other.output).toContain(
    `this checkout builds the version ${version}, but the one to deploy is 0.1.0+0123456789ab, which ran in another stack.`,
  )
  expect(other.output).not.toContain('goes back')
})

test('leaves the version that runs in place if the preview of the next one is refused', async () => {
  runner.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('good')\n`)
  runner.commit('a good version')
  expect(await runner.run('node_modules/.bin/pulumi up --stack dev')).toMatchObject({ code: 0 })
  const { version } = await health()
  runner.edit('worker/wrangler.toml', (text) =>
    text.replace('invocation_logs = false', 'invocation_logs = true'),
  )
  runner.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('refused')\n`)
  runner.commit('a version that breaks a policy')
  const delivered = await runner.deliver('up', 'dev')
  expect(delivered.code).toBe(1)
  expect(delivered.output).not.toContain('goes back')
  expect(runner.written('summary.txt')).toMatch(
    /The delivery of dev failed before it changed anything, so the stack stays as it is\. error: Invocation logs /,
  )
  expect((await health()).version).toBe(version)
  runner.git('revert', '--no-edit', 'HEAD')
})

test('posts a preview as a comment, and checks a stack for drift', async () => {
  const { output } = await runner.deliver('preview', 'dev')
  expect(output).toMatch(/\n### Preview of `dev`\n\n(The|Nothing) [\s\S]*- \*\*policies\*\*: \d+ passed: /)
  expect(output).toMatch(/- \*\*own stack\*\*: The stack pr-7 of this pull request opens .*\n\n<details>/)
  expect(runner.written('gh.txt')).toMatch(/^pr comment 7 --edit-last --create-if-none --body-file /)
  expect((await runner.deliver('drift', 'dev')).code).toBe(0)
})
