import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { REMEDIES, remedyFor } from '../../../infra/setup/remedies.ts'
import { runUp } from '../../../infra/setup/run-up.ts'
import { GOOD_ANSWERS, serveApi } from '../fake-api.ts'
import { CHECKOUT, environment, GOOD_CLI, run, unrehearsed, withAccount, withCli } from '../fake-cli.ts'

/** Returns the line that follows a `pulumi up` which fails after this shell code. */
async function remedy(up: string): Promise<string | undefined> {
  const env = environment(withCli({ 'up --stack dev': `${up}; exit 255` }))
  const path = join(env.HOME ?? '', 'pulumi')
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  const { code, errors } = await runUp({ path, env }, CHECKOUT, ['--stack', 'dev'])
  stderr.mockRestore()
  expect(code).toBe(255)
  return remedyFor(errors, { stack: 'dev', createToken: 'Create one at https://dash' })
}

/** Writes an error of a resource to the log of events, as the engine does. The log is the last argument. */
function resourceError(status: string, code: number, message: string): string {
  const reply = JSON.stringify({ success: false, errors: [{ code, message }] })
  const text = `sdk-v2/provider2.go:572: sdk.helper_schema: POST "https://api.cloudflare.com/x": ${status} ${reply}`
  const event = { sequence: 1, diagnosticEvent: { severity: 'error', message: text } }
  return `for log; do :; done; printf '%s\\n' '${JSON.stringify(event)}' > "$log"`
}

test.each([
  ['403 Forbidden', 10037, 'limit', /^The account has as many Workers as its plan allows\. Delete one /],
  ['403 Forbidden', 10089, 'no_access', /^The account has never used the Analytics Engine\. Open https:/],
  ['409 Conflict', 100116, 'taken', /^Another Worker or a DNS record of yours has the hostname\. Remove it /],
  ['409 Conflict', 100117, 'taken', /^Another Worker or a DNS record of yours has the hostname\. Remove it /],
  [
    '400 Bad Request',
    10014,
    'exists',
    /^The account has a KV namespace of dev that this state does not know: /,
  ],
  ['400 Bad Request', 10063, 'no name', /^The account has no workers\.dev name\. Choose one at https:/],
  ['412 Precondition Failed', 10079, 'tag', /^Somebody deployed this script from elsewhere .* Deploy again/],
  [
    '403 Forbidden',
    10000,
    'Authentication',
    /^The token may read but not write\. Create one at https:\/\/dash/,
  ],
])('says what to do about %s with code %i', async (status, code, message, line) => {
  expect(await remedy(resourceError(status, code, message))).toMatch(line)
})

test.each([
  [
    'error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end',
    'Another run is changing dev: wait for its end. If it was killed, run: npx pulumi cancel --stack dev',
  ],
  [
    'error: failed to decrypt: incorrect passphrase, please set PULUMI_CONFIG_PASSPHRASE',
    'Set the passphrase with which dev was created: export PULUMI_CONFIG_PASSPHRASE_FILE=<file>. Nothing else opens its secrets',
  ],
  [
    "error: no stack named 'dev' found",
    'Pulumi.dev.yaml belongs to a stack in another back-end: log in to that one. For a new stack in this one, remove encryptionsalt from the file, then deploy again',
  ],
  ['error: something new', undefined],
])('says what to do about an error of the CLI: %s', async (text, line) => {
  expect(await remedy(`echo "${text}" >&2`)).toBe(line)
})

test('ends a failed deployment with the remedy, after all that the CLI prints', async () => {
  const up = `${resourceError('403 Forbidden', 10089, 'no_access')}; echo "error: update failed" >&2; exit 255`
  const env = { ...withCli({ ...GOOD_CLI, 'up --stack': up }), ...withAccount(await serveApi(GOOD_ANSWERS)) }
  const { code, lines } = await run(unrehearsed(), ['operate/deploy', '--yes'], env)
  expect(code).toBe(255)
  expect(lines.slice(-3)).toEqual([
    'error: update failed',
    '',
    expect.stringMatching(
      /^The account has never used the Analytics Engine\. Open https:\S+, set it up once, /,
    ),
  ])
})

test('has a line in the table of troubles for each remedy', () => {
  const troubles = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8').split('## Troubleshooting')[1]
  for (const { marks } of REMEDIES) for (const mark of marks) expect(troubles, mark).toContain(mark)
})
