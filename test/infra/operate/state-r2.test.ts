import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { newProject } from '../../support/cloud/project.ts'
import { ACCOUNT, type Answers, GOOD_ANSWERS, REFUSED, serveApi, TOKEN } from '../fake-api.ts'
import { run, withAccount, withCli } from '../fake-cli.ts'

const BUCKETS = `accounts/${ACCOUNT}/r2/buckets`
const VERIFIED = { id: 'c'.repeat(32), status: 'active' }

async function state(answers: Answers) {
  const base = await serveApi({ ...GOOD_ANSWERS, 'user/tokens/verify': VERIFIED, ...answers })
  const env = { ...withCli(undefined), ...withAccount(base), CLOUDFLARE_ACCOUNT_ID: '' }
  return run(newProject().root, ['setup/state-r2'], env)
}

test('creates the bucket, and prints the back-end and the credentials that the token has for it', async () => {
  const { code, lines } = await state({ [`POST ${BUCKETS}`]: { name: 'chronicle-sync-state' } })
  expect(code).toBe(0)
  expect(lines.slice(0, 3)).toEqual([
    `export PULUMI_BACKEND_URL='s3://chronicle-sync-state?endpoint=https://${ACCOUNT}.r2.cloudflarestorage.com&region=auto&s3ForcePathStyle=true'`,
    `export AWS_ACCESS_KEY_ID=${VERIFIED.id} AWS_SECRET_ACCESS_KEY=${createHash('sha256').update(TOKEN).digest('hex')}`,
    'unset AWS_SESSION_TOKEN',
  ])
})

test('uses a bucket that exists', async () => {
  const { code } = await state({ [`${BUCKETS}/chronicle-sync-state`]: { name: 'chronicle-sync-state' } })
  expect(code).toBe(0)
})

test.each([
  [
    REFUSED,
    /^Error: the token lacks Workers R2 Storage: Edit\. Create one at https:\S+workers_r2\S+ and export/,
  ],
  [
    { status: 403, code: 10042, message: 'Please enable R2' },
    /^Error: the account has not enabled R2\. Open https:/,
  ],
  [
    { status: 503, code: 1, message: 'Unavailable' },
    /^Error: the bucket chronicle-sync-state is neither there nor can it be created \(Unavailable, code 1\)$/,
  ],
])('says what to do if the bucket cannot be created: %j', async (refusal, line) => {
  const { code, lines } = await state({ [`POST ${BUCKETS}`]: refusal })
  expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringMatching(line)] })
})
