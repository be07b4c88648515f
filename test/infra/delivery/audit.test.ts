import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, environment, tempFolder } from '../fake-cli.ts'

/** Standard output and exit code of a fake npm. */
interface Said {
  readonly stdout: string
  readonly code: number
}

/** Runs `.ci/audit.mjs` with an npm that prints this, or without an npm. */
function audit(said: Said | undefined, ...args: readonly string[]) {
  const folder = tempFolder()
  const npm = join(folder, 'npm')
  if (said) {
    const isAsked = '[ "$*" = "audit --omit=dev --audit-level=high --json" ] || exit 9'
    writeFileSync(join(folder, 'said'), said.stdout)
    writeFileSync(npm, `#!/bin/sh\n${isAsked}\n/bin/cat ${folder}/said\nexit ${said.code}\n`)
    chmodSync(npm, 0o755)
  }
  const env = environment({ PATH: folder })
  const script = join(CHECKOUT, '.ci/audit.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' })
  return { status, lines: `${stdout}${stderr}`.trimEnd().split('\n') }
}

/** A vulnerability as npm reports it. `via` names packages, or describes the vulnerability. */
function weakness(name: string, severity: string, via: readonly unknown[]) {
  return { name, severity, isDirect: true, via, effects: [], range: '<2.0.0', nodes: [], fixAvailable: true }
}

function report(...found: readonly ReturnType<typeof weakness>[]): Said {
  const vulnerabilities = Object.fromEntries(found.map((one) => [one.name, one]))
  const serious = found.filter(({ severity }) => severity === 'high' || severity === 'critical')
  const text = { auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: {} } }
  return { stdout: JSON.stringify(text), code: Number(serious.length > 0) }
}

/** Output of npm if the registry answers the audit with an error status. */
function unanswered(message: string): Said {
  return { stdout: JSON.stringify({ message, method: 'POST', error: { summary: '', detail: '' } }), code: 1 }
}

const NOTHING = '405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk'

const ADVICE = { title: 'it runs what it reads', url: 'https://advisories.example/1', severity: 'high' }

test('passes without a finding, and with findings below severity high', () => {
  const clean = ['Audit: no production dependency has a known vulnerability of severity high or critical']
  expect(audit(report())).toEqual({ status: 0, lines: clean })
  expect(audit(report(weakness('left-pad', 'moderate', [ADVICE])), '--required')).toEqual({
    status: 0,
    lines: clean,
  })
})

test('prints a line for each finding of severity high or critical, and fails', () => {
  const found = report(
    weakness('left-pad', 'high', [ADVICE]),
    weakness('right-pad', 'critical', ['left-pad']),
    weakness('pad', 'low', [ADVICE]),
  )
  const lines = [
    'Error: left-pad <2.0.0 has severity high: it runs what it reads (https://advisories.example/1)',
    'Error: right-pad <2.0.0 has severity critical: left-pad',
  ]
  expect(audit(found)).toEqual({ status: 1, lines })
  expect(audit({ ...found, code: 0 }, '--required')).toEqual({ status: 1, lines })
})

test.each([NOTHING, 'request to https://registry.example failed, reason: connect ECONNREFUSED'])(
  'says that nothing was audited if the registry gives no report, and fails with --required: %s',
  (message) => {
    const line = `Nothing was audited: ${message}`
    expect(audit(unanswered(message))).toEqual({ status: 0, lines: [line] })
    expect(audit(unanswered(message), '--required')).toEqual({ status: 1, lines: [`Error: ${line}`] })
  },
)

test.each<[what: string, said: Said | undefined]>([
  ['no npm', undefined],
  ['no text', { stdout: '', code: 1 }],
  ['no JSON', { stdout: '<html>405 Method Not Allowed</html>', code: 1 }],
  ['JSON other than an object', { stdout: 'null', code: 0 }],
  ['an object other than a report', { stdout: '{}', code: 0 }],
  ['a report of a later version', { stdout: '{"auditReportVersion":3,"vulnerabilities":{}}', code: 0 }],
  ['a report without its findings', { stdout: '{"auditReportVersion":2,"vulnerabilities":null}', code: 0 }],
  ['an error of npm itself', { stdout: '{"error":{"code":"ENOLOCK","summary":"no lock"}}', code: 1 }],
  ['a failure whose report has no finding', { ...report(), code: 1 }],
])('fails without a valid report of npm: %s', (_, said) => {
  const { status, lines } = audit(said)
  expect(status).toBe(1)
  expect(lines).toEqual([expect.stringMatching(/^Error: npm audit exited with \w+ and no valid report/)])
})

test('refuses a mistyped option, and names it', () => {
  const { status, lines } = audit(report(), '--require')
  expect(status).toBe(1)
  expect(lines.join('\n')).toContain("Unknown option '--require'")
})
