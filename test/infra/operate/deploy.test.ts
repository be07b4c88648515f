import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { takeStack } from '../../../infra/cli/stack-option.ts'
import { newProject } from '../../support/cloud/project.ts'
import { ACCOUNT, GOOD_ANSWERS, serveApi } from '../fake-api.ts'
import {
  type Cli,
  type Environment,
  GOOD_CLI,
  NEW_CLI,
  run,
  unrehearsed,
  withAccount,
  withCli,
} from '../fake-cli.ts'

/** The CLI on a machine that has neither a log-in nor a stack. */
const FIRST_CLI: Cli = {
  ...NEW_CLI,
  up: 'echo "up in $CLOUDFLARE_ACCOUNT_ID with $PULUMI_CONFIG_PASSPHRASE_FILE"',
}

async function firstTime(cli: Cli = FIRST_CLI): Promise<Environment> {
  const account = withAccount(await serveApi(GOOD_ANSWERS))
  return { ...withCli(cli), ...account, CLOUDFLARE_ACCOUNT_ID: '', PULUMI_BACKEND_URL: '' }
}

function deploy(env: Environment, ...args: readonly string[]) {
  return run(unrehearsed(), ['operate/deploy', ...args], env)
}

test('runs the doctor before a deployment, and passes all other arguments to `pulumi up`', async () => {
  const env = { ...withCli(GOOD_CLI), ...withAccount(await serveApi(GOOD_ANSWERS)) }
  const deployed = await deploy(env, '--yes', '--stack', 'dev', '--diff')
  expect(deployed).toMatchObject({
    code: 7,
    lines: [
      expect.stringMatching(
        /^up got up --stack dev --policy-pack infra\/policy --yes --diff --event-log \S+$/,
      ),
    ],
  })
  const refused = await deploy({ ...env, CLOUDFLARE_API_TOKEN: 'short' }, '--yes')
  expect(refused.code).toBe(1)
  expect(refused.lines).toEqual([
    expect.stringMatching(/^WRONG API token: 5 characters /),
    'Error: dev was not deployed. Fix the lines above, or run npx pulumi up without the doctor',
  ])
  const twice = await deploy(env, '--stack', 'prod', '--stack', 'dev')
  expect(twice).toMatchObject({ code: 1, lines: ['Error: --stack is given twice. Name one stack'] })
})

test('adds with --yes what a first deployment lacks: a log-in, a passphrase, a stack', async () => {
  const env = await firstTime()
  const { code, lines } = await deploy(env, '--yes')
  const file = join(env.PULUMI_HOME ?? '', 'chronicle-sync.passphrase')
  expect(code, lines.join('\n')).toBe(0)
  expect(lines).toContain(
    `The account of the token is ${ACCOUNT}. Other commands need: export CLOUDFLARE_ACCOUNT_ID=${ACCOUNT}`,
  )
  expect(lines).toContain(`  export PULUMI_CONFIG_PASSPHRASE_FILE=${file}`)
  expect(lines).toContainEqual(
    expect.stringMatching(/^Commit Pulumi\.dev\.yaml if it has a new line encryptionsalt/),
  )
  expect(lines.at(-1)).toBe(`up in ${ACCOUNT} with ${file}`)
  expect(readFileSync(file, 'utf8')).toMatch(/^[\w-]{43}\n$/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('writes the passphrase where the environment says', async () => {
  const env = await firstTime()
  const file = join(env.HOME ?? '', 'kept/here')
  const { lines } = await deploy({ ...env, PULUMI_CONFIG_PASSPHRASE_FILE: file }, '--yes')
  expect(lines.at(-1)).toBe(`up in ${ACCOUNT} with ${file}`)
  expect(statSync(file).size).toBe(44)
})

test('never replaces the passphrase of an earlier stack, which a new shell does not name', async () => {
  const env = await firstTime()
  const file = join(env.PULUMI_HOME ?? '', 'chronicle-sync.passphrase')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'of the stack prod\n')
  const { code, lines } = await deploy(env, '--yes')
  expect(readFileSync(file, 'utf8')).toBe('of the stack prod\n')
  expect(code).toBe(1)
  expect(lines.at(-1)).toBe(
    `Error: ${file} exists, and may hold the only passphrase of another stack. Use it: export PULUMI_CONFIG_PASSPHRASE_FILE=${file}. For another passphrase, export the path of a new file`,
  )
})

test.each([
  ['without a terminal', [], {}],
  ['in CI, even with --yes', ['--yes'], { CI: 'true' }],
])('adds nothing %s, and says what is missing', async (_where, args, variables) => {
  const { code, lines } = await deploy({ ...(await firstTime()), ...variables }, ...args)
  expect(code).toBe(1)
  expect(lines).toEqual([
    expect.stringMatching(/^TO DO state: .* Run: npx pulumi login --local /),
    'TO DO stack: there is no dev in the state yet. Run: npx pulumi stack init dev',
    'Error: dev was not deployed. Do what the lines above say, or run this on a terminal, which asks',
  ])
})

test('stops if a step leaves its thing missing', async () => {
  const { code, lines } = await deploy(await firstTime({ ...FIRST_CLI, 'stack init': 'true' }), '--yes')
  expect(code).toBe(1)
  expect(lines.at(-1)).toBe('Error: there is still no stack: there is no dev in the state yet')
})

test('waits for the rehearsal of the program, however slow the machine is, unless the CLI previews a deployed stack', async () => {
  const env = { ...withCli(GOOD_CLI), ...withAccount(await serveApi(GOOD_ANSWERS)), DOCTOR_SECONDS: '0.5' }
  const project = newProject()
  project.edit('Pulumi.dev.yaml', (text) => text.replace('development', 'staging'))
  const wrong = expect.stringMatching(/^WRONG program: chronicle-sync:environment is "staging"/)
  const first = await run(project.root, ['operate/deploy', '--yes'], env)
  expect(first.lines).toContainEqual(wrong)
  project.edit('Pulumi.dev.yaml', (text) => `${text}encryptedkey: of-a-cloud\n`)
  const blind = await run(project.root, ['operate/deploy', '--yes', '--skip-preview'], env)
  expect(blind.lines).toContainEqual(wrong)
  const previewed = await run(project.root, ['operate/deploy', '--yes'], { ...env, DOCTOR_SECONDS: '60' })
  expect(previewed.lines).not.toContainEqual(wrong)
  expect(previewed.lines).toContainEqual(expect.stringMatching(/^up got up --stack dev /))
})

/** Logs a resource that stays the same, under outputs that may differ. */
function settledCli(before: object, after: object): Cli {
  const metadata = { op: 'same', urn: 'urn:pulumi:dev::p::chronicle-sync:index:ChronicleSync::s' }
  const type = 'chronicle-sync:index:ChronicleSync'
  const [old, wanted] = [before, after].map((outputs) => ({
    inputs: {},
    outputs: { version: '1', ...outputs },
  }))
  const events: readonly object[] = [
    { resourcePreEvent: { metadata: { ...metadata, type } } },
    { resOutputsEvent: { metadata: { ...metadata, type, old, new: wanted } } },
  ]
  const text = events.map((event) => JSON.stringify(event)).join('\n')
  const script = `while [ $# -gt 0 ]; do [ "$1" = --event-log ] && printf '%s\n' '${text}' > "$2"; shift; done`
  return { ...GOOD_CLI, 'preview --diff': script }
}

test('deploys nothing where nothing would change, and a change of the record alone', async () => {
  const account = withAccount(await serveApi(GOOD_ANSWERS))
  const same = await deploy({ ...withCli(settledCli({}, {})), ...account }, '--yes')
  expect(same.code, same.lines.join('\n')).toBe(0)
  expect(same.lines).toContain(
    'Nothing would change in the stack dev: all 1 resources are as this checkout wants them.',
  )
  expect(same.lines.join('\n')).not.toContain('up got')
  const swept = settledCli({ release: { sweptMasterKey: 0 } }, { release: { sweptMasterKey: 2 } })
  const recorded = await deploy({ ...withCli(swept), ...account }, '--yes')
  expect(recorded.lines).toContainEqual(expect.stringMatching(/^up got up .* --yes --skip-preview /))
})

test('deploys nothing that nobody has agreed to', async () => {
  const env = { ...withCli(GOOD_CLI), ...withAccount(await serveApi(GOOD_ANSWERS)) }
  const { code, lines } = await deploy(env)
  expect(code).toBe(1)
  expect(lines).toContain('The stack dev would change: 1 to update.')
  expect(lines.at(-1)).toBe('Error: dev was not deployed, because nobody agreed. Answer yes, or pass --yes')
})

test('takes the stack out of the arguments', () => {
  expect(takeStack(['--yes'])).toEqual({ stack: 'dev', isNamed: false, rest: ['--yes'] })
  expect(takeStack(['-s', 'prod', '--yes'])).toEqual({ stack: 'prod', isNamed: true, rest: ['--yes'] })
  expect(() => takeStack(['--stack'])).toThrow('--stack needs a name')
  expect(() => takeStack(['--stack', '--yes'])).toThrow('--stack needs a name')
})
