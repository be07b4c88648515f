import { expect, test } from 'vitest'
import { takeStack } from '../../../infra/cli/stack-option.ts'
import { newProject } from '../../support/cloud/project.ts'
import { GOOD_ANSWERS, serveApi } from '../fake-api.ts'
import { GOOD_CLI, run, withAccount, withCli } from '../fake-cli.ts'

test('runs the doctor before a deployment, and passes all other arguments to `pulumi up`', async () => {
  const env = {
    ...withCli(GOOD_CLI),
    ...withAccount(await serveApi(GOOD_ANSWERS)),
    PULUMI_CONFIG_PASSPHRASE: '',
  }
  const deployed = await run(newProject().root, ['operate/deploy', '--yes', '--stack', 'dev', '--diff'], env)
  expect(deployed).toMatchObject({
    code: 7,
    lines: ['up got up --stack dev --policy-pack infra/policy --yes --diff'],
  })
  const refused = await run(newProject().root, ['operate/deploy', '--yes'], {
    ...env,
    CLOUDFLARE_API_TOKEN: 'short',
  })
  expect(refused.code).toBe(1)
  expect(refused.lines).toEqual([
    expect.stringMatching(/^WRONG API token: 5 characters /),
    'Error: dev was not deployed. Fix the lines above, or run pulumi up without the doctor',
  ])
  const twice = await run(newProject().root, ['operate/deploy', '--stack', 'prod', '--stack', 'dev'], env)
  expect(twice).toMatchObject({ code: 1, lines: ['Error: --stack is given twice. Name one stack'] })
})

test('takes the stack out of the arguments', () => {
  expect(takeStack(['--yes'])).toEqual({ stack: 'dev', isNamed: false, rest: ['--yes'] })
  expect(takeStack(['-s', 'prod', '--yes'])).toEqual({ stack: 'prod', isNamed: true, rest: ['--yes'] })
  expect(() => takeStack(['--stack'])).toThrow('--stack needs a name')
  expect(() => takeStack(['--stack', '--yes'])).toThrow('--stack needs a name')
})
