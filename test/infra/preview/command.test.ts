import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../../standin/command.ts'
import { newProject } from '../../support/cloud/project.ts'
import { run, withAccount, withCli } from '../fake-cli.ts'

const STEP = { op: 'update', urn: 'urn:pulumi:dev::p::x:y:Z::z', type: 'x:y:Z', old: null, new: null }

/** Saves the values of `--config` in the stack file or in another one that is named, as the CLI does. */
const SAVING_CLI = `
  file=Pulumi.dev.yaml
  while [ $# -gt 0 ]; do
    case "$1" in
      --config-file) file=$2; shift ;;
      --event-log) echo '${JSON.stringify({ resourcePreEvent: { metadata: STEP } })}' > "$2"; shift ;;
      --config) echo "saved: $2" >> "$file"; shift ;;
    esac
    shift
  done
  cat "$file"`

test('changes no file when it previews other settings against the account', async () => {
  const { root } = newProject()
  const file = join(root, 'Pulumi.dev.yaml')
  const before = readFileSync(file, 'utf8')
  const env = { ...withCli({ 'preview --diff': SAVING_CLI }), ...withAccount('http://127.0.0.1:1') }
  const { code, lines } = await run(root, ['operate/preview', '--config', 'logSampling=0.5'], env)
  expect(code, lines.join('\n')).toBe(0)
  expect(lines.join('\n')).toContain(`In the words of the engine:\n${before}saved: logSampling=0.5`)
  expect(readFileSync(file, 'utf8')).toBe(before)
})

/** Writes these events, prints a line, and ends with the code. */
function loggingCli(code: number, ...events: object[]) {
  const log = events.map((event) => JSON.stringify(event)).join('\n')
  const find = 'for arg in "$@"; do [ "$last" = --event-log ] && log=$arg; last=$arg; done'
  return withCli({
    'preview --diff': `${find}; printf '%s\\n' '${log}' > "$log"; echo words of the engine; exit ${code}`,
  })
}

test('says why the engine refuses, and which policy is broken', async () => {
  const { root } = newProject()
  const preview = (env: Readonly<Record<string, string>>) =>
    run(root, ['operate/preview'], { ...env, ...withAccount('http://127.0.0.1:1') })
  const diagnosticEvent = {
    severity: 'error',
    message: '<{%reset%}>masterKeys is [2],\nput 1 back<{%reset%}>\n',
  }
  const refused = await preview(loggingCli(255, { diagnosticEvent }))
  expect(refused.code).toBe(1)
  expect(refused.lines.slice(2)).toEqual([
    'The stack dev cannot be deployed like this.',
    '  refused   masterKeys is [2], put 1 back',
    '  policies  none looked at it',
    '',
    'In the words of the engine:',
    'words of the engine',
  ])
  const failed = { diagnosticEvent: { severity: 'error', message: 'preview failed\n' } }
  const policyEvent = {
    policyName: 'cors',
    enforcementLevel: 'mandatory',
    message: 'About it.\nCORS is *.\n',
  }
  const summary = { policyAnalyzeStackSummaryEvent: { passed: ['logs'], failed: ['cors'] } }
  const broken = await preview(
    loggingCli(255, { resourcePreEvent: { metadata: STEP } }, failed, { policyEvent }, summary),
  )
  expect(broken.code).toBe(1)
  expect(broken.lines[2]).toBe('The stack dev cannot be deployed like this, because of a policy.')
  expect(broken.lines).toContain('  policies  BROKEN: cors: CORS is *.')
  expect(broken.lines).toContain('            1 passed: logs')
})

test('never takes a missing log of the engine for no change', async () => {
  const { root } = newProject()
  const env = { ...withCli({ 'preview --diff': 'echo done' }), ...withAccount('http://127.0.0.1:1') }
  const { code, lines } = await run(root, ['operate/preview'], env)
  expect(code).toBe(1)
  expect(lines.at(-1)).toMatch(/^Error: the Pulumi CLI wrote no log of its events, /)
})

test('estimates without an account, shows what would change, and names a broken policy', async () => {
  const { root } = newProject()
  const env = { CLOUDFLARE_API_TOKEN: '' }
  const preview = (...args: string[]) =>
    runCommand(process.execPath, ['infra/operate/preview.ts', ...args], { cwd: root, env })
  const good = await preview()
  expect(good.code, good.printed).toBe(0)
  expect(good.printed).toContain(
    'Previewing the stack "dev" on this machine: an estimate, no account is asked\n',
  )
  expect(good.printed).toMatch(/^The stack dev would be made: 11 resources to create\.\n/)
  expect(good.printed).toMatch(/\n {2}policies {2}\d+ passed: [^\n]*\bcors-names-origins, /)
  const bad = await preview(
    '--stack',
    'prod',
    '--config',
    'hostname=a.example.com',
    '--config',
    'logSampling=0',
  )
  expect(bad.code).toBe(1)
  expect(bad.printed).toContain('  policies  BROKEN: production-logs: Production would lose log lines ')
})
