import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { installedVersion } from '../../infra/cli/installed-version.ts'
import { examinePassphrase } from '../../infra/doctor/passphrase.ts'
import { examineVersions } from '../../infra/doctor/versions.ts'
import {
  CHECKOUT,
  type Environment,
  environment,
  GOOD_CLI,
  LAUNCHER,
  linesOf,
  tempFolder,
  withCli,
} from './fake-cli.ts'

function versions(root: string, ...env: readonly Environment[]): Promise<readonly string[]> {
  return linesOf(examineVersions({ root, env: environment(...env), signal: AbortSignal.timeout(10_000) }))
}

test('prefers the fetched CLI to the one on the PATH, and refuses another major version', async () => {
  const home = tempFolder()
  const file = join(home, `versions/${LAUNCHER}/bin/pulumi`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\necho v4.0.0\n', { mode: 0o755 })
  expect(await versions(CHECKOUT, withCli(GOOD_CLI), { PULUMI_HOME: home })).toEqual([
    `WRONG Pulumi CLI: 4.0.0 at ${file}, for the SDK ${installedVersion(CHECKOUT, '@pulumi/pulumi')}. Install a CLI of major version 3`,
  ])
  expect(await versions(CHECKOUT, withCli(GOOD_CLI))).toEqual([])
})

test('reports a CLI that fails and a package that is not installed', async () => {
  const found = await versions(tempFolder(), withCli({ version: 'echo broken >&2; exit 1' }))
  expect(found).toEqual([
    'WRONG packages: wrangler is not installed. Run: npm ci',
    expect.stringMatching(/^WRONG Pulumi CLI: \S+ fails \(broken\)\. Install it again$/),
  ])
})

/** Salt that `pulumi stack init` writes. */
function saltFor(passphrase: string): string {
  const [salt, nonce] = [randomBytes(8), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(passphrase, salt, 1_000_000, 32, 'sha256'), nonce)
  const sealed = Buffer.concat([cipher.update('pulumi'), cipher.final(), cipher.getAuthTag()])
  return ['v1', salt.toString('base64'), 'v1', nonce.toString('base64'), sealed.toString('base64')].join(':')
}

function passphrase(salt: string | undefined, env: Environment): Promise<readonly string[]> {
  return linesOf(examinePassphrase({ salt, hasKey: salt !== undefined, encryptedKeys: [] }, environment(env)))
}

test('reports a passphrase that is missing or wrong, accepts the right one, and needs none without a salt', async () => {
  const none = { PULUMI_HOME: tempFolder() }
  const remedy = 'Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE'
  const salt = saltFor('open sesame')
  expect(await passphrase(undefined, {})).toEqual([])
  expect(await passphrase(salt, none)).toEqual([
    `WRONG passphrase: not set, but the stack file was encrypted with one. ${remedy}`,
  ])
  const file = join(tempFolder(), 'passphrase')
  writeFileSync(file, 'open sesame\n')
  expect(await passphrase(salt, { PULUMI_CONFIG_PASSPHRASE_FILE: file })).toEqual([])
  expect(await passphrase(salt, { ...none, PULUMI_CONFIG_PASSPHRASE_FILE: '/nowhere' })).toEqual([
    `WRONG passphrase: /nowhere cannot be read. ${remedy}`,
  ])
  const home = tempFolder()
  const first = join(home, 'chronicle-sync.passphrase')
  writeFileSync(first, 'open sesame\n')
  expect(await passphrase(salt, { PULUMI_HOME: home })).toEqual([
    `WRONG passphrase: not set, but the stack file was encrypted with one. Run: export PULUMI_CONFIG_PASSPHRASE_FILE=${first}`,
  ])
  expect(await passphrase(salt, { PULUMI_CONFIG_PASSPHRASE: 'sesame' })).toEqual([
    'WRONG passphrase: not the one that the stack file was encrypted with. Set the one with which the stack was created: nothing else opens its secrets',
  ])
  expect(await passphrase(salt, { PULUMI_CONFIG_PASSPHRASE: 'open sesame\n' })).toEqual([
    'WRONG passphrase: PULUMI_CONFIG_PASSPHRASE has a space or a line break at its begin or end. Set it again without that',
  ])
  expect(await passphrase('not a salt', { PULUMI_CONFIG_PASSPHRASE: '' })).toHaveLength(1)
})
