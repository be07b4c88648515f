// Asks the registry whether a production dependency has a known serious vulnerability. Some registries offer no audit:
// the script then says so and passes, or fails with `--required`. It is plain JavaScript because it runs before any
// package is installed. It needs only the lock file.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const SERIOUS = ['high', 'critical']

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** @param {{ name: string, range: string, severity: string, via: (string | { title: string, url: string })[] }} found */
function describe({ name, range, severity, via }) {
  const reasons = via.map((reason) =>
    typeof reason === 'string' ? reason : `${reason.title} (${reason.url})`,
  )
  return `${name} ${range} has severity ${severity}: ${reasons.join(', ')}`
}

const { values } = parseArgs({ options: { required: { type: 'boolean', default: false } } })
const { stdout, status, error } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  stdio: ['ignore', 'pipe', 'ignore'],
})
const reply = parse(stdout)
const isReport = reply?.auditReportVersion === 2 && reply.vulnerabilities instanceof Object
const findings = isReport
  ? Object.values(reply.vulnerabilities).filter((found) => SERIOUS.includes(found.severity))
  : []

if (findings.length > 0) {
  for (const found of findings) console.error(`Error: ${describe(found)}`)
  process.exitCode = 1
} else if (isReport && status === 0) {
  console.log(`Audit: no production dependency has a known vulnerability of severity ${SERIOUS.join(' or ')}`)
} else if (!isReport && typeof reply?.message === 'string') {
  // npm reports a registry without an audit in this form, with the reason in the message.
  const line = `Nothing was audited: ${reply.message.split('\n')[0]}`
  if (values.required) console.error(`Error: ${line}`)
  else console.log(line)
  process.exitCode = values.required ? 1 : 0
} else {
  const code = error === undefined ? status : error.code
  console.error(`Error: npm audit exited with ${code} and no valid report: run it to see its output`)
  process.exitCode = 1
}
