import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { examinePackages, installedVersion } from '../../infra/doctor/packages.ts'
import { examinePulumi } from '../../infra/doctor/pulumi.ts'
import { isInRange } from '../../infra/doctor/version-range.ts'
import { newProject } from '../support/cloud/project.ts'
import {
  CHECKOUT,
  CLOUDFLARE,
  type Cli,
  type Environment,
  environment,
  GOOD_CLI,
  LAUNCHER,
  linesOf,
  listOf,
  RANDOM,
  tempFolder,
  withCli,
} from './fake-cli.ts'

interface PulumiFacts {
  readonly env?: Environment
  readonly salt?: string
  readonly provider?: string
}

function pulumi(
  cli: Cli | undefined,
  { env = { PULUMI_CONFIG_PASSPHRASE: '' }, salt, provider }: PulumiFacts = {},
) {
  const sealing = { salt, provider, encryptedKeys: [] }
  const signal = AbortSignal.timeout(10_000)
  return linesOf(
    examinePulumi({ root: CHECKOUT, stack: 'dev', sealing, env: environment(withCli(cli), env), signal }),
  )
}

test('the CLI: the fetched one goes first, and one of another major version will not do', async () => {
  const home = tempFolder()
  const file = join(home, `versions/${LAUNCHER}/bin/pulumi`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\necho v4.0.0\n', { mode: 0o755 })
  expect((await pulumi(GOOD_CLI, { env: { PULUMI_HOME: home } }))[0]).toBe(
    `WRONG Pulumi CLI: 4.0.0 at ${file}, for the SDK ${installedVersion(CHECKOUT, '@pulumi/pulumi')}. Install a CLI of major version 3`,
  )
})

test('plugins of other versions are fetched later, and told', async () => {
  const older = { ...GOOD_CLI, 'plugin ls': listOf({ cloudflare: '6.1.0' }) }
  const later = 'is not installed: the deployment fetches it, as does pulumi plugin install resource'
  expect(await pulumi(older)).toEqual([
    `?     plugin cloudflare: ${CLOUDFLARE} ${later.replace(':', ' (only 6.1.0):')} cloudflare ${CLOUDFLARE}`,
    `?     plugin random: ${RANDOM} ${later} random ${RANDOM}`,
  ])
  const env = { PULUMI_CONFIG_PASSPHRASE: '', PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }
  expect(await pulumi({ ...GOOD_CLI, 'plugin ls': listOf({ cloudflare: CLOUDFLARE }) }, { env })).toEqual([
    `WRONG plugin random: ${RANDOM} is not installed. Run: pulumi plugin install resource random ${RANDOM}`,
  ])
})

test('not logged in, or without the stack', async () => {
  const loggedOut = 'echo "error: PULUMI_ACCESS_TOKEN must be set for login" >&2; exit 1'
  expect(await pulumi({ ...GOOD_CLI, whoami: loggedOut, 'stack ls': loggedOut })).toEqual([
    'WRONG state: cannot be reached (PULUMI_ACCESS_TOKEN must be set for login). Run: pulumi login (Pulumi Cloud, a bucket or --local), or set PULUMI_BACKEND_URL',
  ])
  expect(await pulumi({ ...GOOD_CLI, 'stack ls': `echo '[{"name":"acme/adev"}]'` })).toEqual([
    'WRONG stack: the back-end has none named dev. Run: pulumi stack init dev',
  ])
  expect(await pulumi({ ...GOOD_CLI, 'stack ls': `echo '[{"name":"acme/dev"}]'` })).toEqual([])
})

/** As `pulumi stack init` writes it. */
function saltFor(passphrase: string): string {
  const [salt, nonce] = [randomBytes(8), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(passphrase, salt, 1_000_000, 32, 'sha256'), nonce)
  const sealed = Buffer.concat([cipher.update('pulumi'), cipher.final(), cipher.getAuthTag()])
  return ['v1', salt.toString('base64'), 'v1', nonce.toString('base64'), sealed.toString('base64')].join(':')
}

test('the passphrase: missing, wrong, right, not needed', async () => {
  const missing =
    'WRONG passphrase: not set, and the secrets are sealed with one. Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE'
  expect(await pulumi(GOOD_CLI, { env: {} })).toEqual([missing])
  expect(await pulumi(GOOD_CLI, { env: {}, provider: 'awskms://alias/x' })).toEqual([])
  const cloud = { ...GOOD_CLI, whoami: `echo '{"user":"ann","url":"https://app.pulumi.com/ann"}'` }
  expect(await pulumi(cloud, { env: {} })).toEqual([])
  expect(await pulumi(cloud, { env: {}, salt: saltFor('x') })).toEqual([missing])
  const file = join(tempFolder(), 'passphrase')
  writeFileSync(file, 'open sesame\n')
  const salt = saltFor('open sesame')
  expect(await pulumi(GOOD_CLI, { env: { PULUMI_CONFIG_PASSPHRASE_FILE: file }, salt })).toEqual([])
  expect(await pulumi(GOOD_CLI, { env: { PULUMI_CONFIG_PASSPHRASE: 'sesame' }, salt })).toEqual([
    'WRONG passphrase: not the one that the stack file was sealed with. Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE',
  ])
})

test('packages that are not those of the lock file', async () => {
  const project = newProject()
  project.edit('package-lock.json', (text) =>
    text.replace(`"version": "${CLOUDFLARE}"`, '"version": "99.0.0"'),
  )
  project.edit('package.json', (text) => text.replace('>=22.18 || (>=20 <21)', '>=99'))
  expect(
    await linesOf(examinePackages(project.root, environment({ npm_config_user_agent: 'npm/6.14.0' }))),
  ).toEqual([
    `WRONG Node: ${process.version}, package.json asks for >=99. Install Node 24 from nodejs.org`,
    'WRONG npm: 6.14.0 cannot read the lock file. Run: npm install --global npm',
    `WRONG packages: @pulumi/cloudflare is ${CLOUDFLARE}, package-lock.json has 99.0.0. Run: npm ci`,
  ])
})

test('version ranges as `engines` has them', () => {
  const range = '>=22.18 || (>=20 <21)'
  expect(['v22.18.0', 'v20.20.2', '24.0.0'].every((version) => isInRange(version, range))).toBe(true)
  expect(['v22.17.9', 'v21.0.0', '19.9.9'].some((version) => isInRange(version, range))).toBe(false)
})
