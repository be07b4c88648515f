import { expect, test } from 'vitest'
import { newProject } from '../support/cloud/project.ts'
import { ACCOUNT, GOOD_ANSWERS, serveApi, serveSilence } from './fake-api.ts'
import { GOOD_CLI, run, unrehearsed, withAccount, withCli } from './fake-cli.ts'

const BUDGET_MS = 5_000

test('prints a line for everything that is right, and says that prod can be deployed', async () => {
  const env = { ...withCli(GOOD_CLI), ...withAccount(await serveApi(GOOD_ANSWERS)) }
  const project = newProject()
  project.edit('Pulumi.prod.yaml', (text) => `${text}  hostname: sync.example.com\n`)
  const { code, lines } = await run(project.root, ['doctor/doctor', '--stack', 'prod'], env)
  expect(lines).toEqual([
    expect.stringMatching(
      /^ok {4}packages: Node v[\d.]+, wrangler [\d.]+, @pulumi\/pulumi 3[\d.]+, @pulumi\//,
    ),
    expect.stringMatching(/^ok {4}Pulumi CLI: 3\.1\.2 at \S+\/pulumi, for the SDK 3\.[\d.]+$/),
    expect.stringMatching(/^ok {4}state: in file:\/\//),
    'ok    stack: prod is in the state',
    'ok    program: runs with Pulumi.prod.yaml; every declared binding has a value',
    expect.stringMatching(/^ok {4}API: http:\/\/127\.0\.0\.1:\d+\/client\/v4 answers$/),
    'ok    API token: active',
    `ok    account: Acme ${ACCOUNT}`,
    'ok    permission Workers Scripts: reading works; writing was not tried',
    'ok    permission Workers KV Storage: reading works; writing was not tried',
    'ok    workers.dev: the account has the name acme; the stack leaves it off',
    'ok    zone: example.com is active, in this account',
    'ok    DNS: no record conflicts with sync.example.com',
    '',
    'The stack prod can be deployed.',
  ])
  expect(code).toBe(0)
})

test('ends within five seconds if neither the API nor the CLI answers', async () => {
  const baseUrl = await serveSilence()
  const { code, lines, ms } = await run(unrehearsed(), ['doctor/doctor'], {
    ...withCli({ version: 'exec sleep 20' }),
    ...withAccount(baseUrl),
    DOCTOR_SECONDS: '',
  })
  expect(ms).toBeLessThan(BUDGET_MS)
  expect(code).toBe(1)
  expect(lines).toContainEqual(expect.stringMatching(/^\? {5}Pulumi CLI: \S+ did not answer in time$/))
  expect(lines.filter((line) => line.startsWith('WRONG'))).toEqual([
    `WRONG API: ${baseUrl} does not answer (no answer in time). Check the network, the proxy and CLOUDFLARE_BASE_URL`,
  ])
})

test('links to the form for a token on a fresh clone, and lists what a deployment adds', async () => {
  const { code, lines } = await run(unrehearsed(), ['doctor/doctor'], {
    ...withCli(undefined),
    PULUMI_BACKEND_URL: '',
  })
  expect(code).toBe(1)
  expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([
    expect.stringMatching(
      /^TO DO Pulumi CLI: not on the PATH, and not fetched yet\. Run: npx pulumi version \(fetches 3\.\d+\.\d+ /,
    ),
    expect.stringMatching(
      /^TO DO state: the Pulumi CLI is logged in nowhere, .* Run: npx pulumi login --local/,
    ),
    'TO DO stack: there is no dev in the state yet. Run: npx pulumi stack init dev',
    expect.stringMatching(
      /^WRONG account: CLOUDFLARE_API_TOKEN is not set, .*\(npm start needs none\)\. Create one at /,
    ),
    '',
    '1 wrong: dev cannot be deployed.',
  ])
})

test('says what is to do before the first deployment if nothing is wrong', async () => {
  const { code, lines } = await run(unrehearsed(), ['doctor/doctor'], {
    ...withCli({ ...GOOD_CLI, 'stack ls': 'echo "[]"' }),
    ...withAccount(await serveApi(GOOD_ANSWERS)),
    CLOUDFLARE_ACCOUNT_ID: '',
  })
  expect(code).toBe(1)
  expect(lines.filter((line) => line.startsWith('TO DO'))).toEqual([
    expect.stringMatching(
      /^TO DO passphrase: none is set, and the state encrypts .* Write a long random one into /,
    ),
    'TO DO stack: there is no dev in the state yet. Run: npx pulumi stack init dev',
  ])
  expect(lines).toContain(`ok    account: Acme ${ACCOUNT}`)
  expect(lines.at(-1)).toBe('2 to do before dev can be deployed: npm run deploy asks, and does it.')
})

test('refuses a state on a runner of GitHub, where the next run would not find it', async () => {
  const env = { ...withCli(GOOD_CLI), ...withAccount(await serveApi(GOOD_ANSWERS)) }
  const { code, lines } = await run(unrehearsed(), ['doctor/doctor'], {
    ...env,
    RUNNER_ENVIRONMENT: 'github-hosted',
  })
  expect(code).toBe(1)
  expect(lines).toContain(
    'WRONG state: it would be on a runner of GitHub, which is deleted after the run. Set PULUMI_BACKEND_URL to object storage, or use Pulumi Cloud',
  )
})

test('refuses the settings of another project, which the program would overlook', async () => {
  const project = newProject()
  project.edit('Pulumi.dev.yaml', (text) => `${text}  blog:hostname: blog.example.com\n  cloudflare:x: y\n`)
  const { lines } = await run(project.root, ['doctor/doctor'], withCli(undefined))
  expect(lines.filter((line) => line.startsWith('WRONG stack'))).toEqual([
    'WRONG stack file: Pulumi.dev.yaml has blog:hostname, a setting of another project. Write chronicle-sync:hostname, or delete the line',
  ])
})

test('reports a wrong stack file, a declaration that the program does not meet, and an unknown stack', async () => {
  const project = newProject()
  project.edit('Pulumi.prod.yaml', (text) =>
    text.replace('production', 'staging').concat('  chronicle-sync:logSampling: 2\n'),
  )
  const settings = await run(project.root, ['doctor/doctor', '--stack=prod'], withCli(undefined))
  expect(settings.code).toBe(1)
  expect(settings.lines.filter((line) => line.startsWith('WRONG program'))).toEqual([
    expect.stringMatching(
      /^WRONG program: chronicle-sync:environment is "staging", expected .* Write in Pulumi\.prod\.yaml/,
    ),
    expect.stringMatching(
      /^WRONG program: chronicle-sync:logSampling is "2", expected a number from 0 to 1\./,
    ),
    expect.stringMatching(
      /^WRONG program: chronicle-sync:hostname is missing while workersDev is false and /,
    ),
  ])
  project.edit('worker/wrangler.toml', (text) => text.replace('"MASTER_KEY"', '"MASTER_KEY", "PEPPER"'))
  const declaration = await run(project.root, ['doctor/doctor'], withCli(undefined))
  expect(declaration.lines).toContain(
    'WRONG program: worker/wrangler.toml declares the secret PEPPER, but infra/component/provision.ts gives it no value: add it there',
  )
  const unknown = await run(project.root, ['doctor/doctor', '--stack', 'qa'], withCli(undefined))
  expect(unknown.code).toBe(1)
  expect(unknown.lines).toContain(
    'WRONG stack file: there is no stack "qa", because there is no file Pulumi.qa.yaml. Choose one with --stack: dev, prod. For a new one, copy Pulumi.pr.yaml to Pulumi.qa.yaml',
  )
})

test('skips the checks that would need an encrypted value of the stack file', async () => {
  const project = newProject()
  const secrets = '  cloudflare:apiToken:\n    secure: v1:x\n  hostname:\n    secure: v1:x\n'
  project.edit('Pulumi.dev.yaml', (text) => `${text}${secrets}`)
  const { lines } = await run(project.root, ['doctor/doctor'], withCli(undefined))
  expect(lines).toContain('?     program: not tried: chronicle-sync:hostname is encrypted in Pulumi.dev.yaml')
  expect(lines).toContain('?     account: not checked: cloudflare:apiToken is encrypted in Pulumi.dev.yaml')
})

test('refuses an argument that is not an option', async () => {
  const { code, lines } = await run(unrehearsed(), ['doctor/doctor', 'prod'], withCli(undefined))
  expect({ code, lines }).toEqual({
    code: 1,
    lines: ['Error: "prod" is not an option. Usage: npm run doctor -- [--stack dev]'],
  })
})
