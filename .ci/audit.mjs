// Asks the registry for known vulnerabilities of high severity in production dependencies. If the registry offers no
// audit, the check reports that and passes, or fails with `--required`. It needs only the lock file, no packages. It is
// therefore plain JavaScript.
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
  return `${name} ${range} is of severity ${severity}: ${reasons.join(', ')}`
}

const { values } = parseArgs({ options: { required: { type: 'boolean', default: false } } })
const { stdout, status, error } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  stdio: ['ignore', 'pipe', 'ignore'],
})
const said = parse(stdout)
const isReport = said?.auditReportVersion === 2 && said.vulnerabilities instanceof Object
const findings = isReport
  ? Object.values(said.vulnerabilities).filter((found) => SERIOUS.includes(found.severity))
  : []

if (findings.length > 0) {
  for (const found of findings) console.error(`Error: ${describe(found)}`)
  process.exitCode = 1
} else if (isReport && status === 0) {
  console.log(
    `Audit: production dependencies have no known vulnerability of severity ${SERIOUS.join(' or ')}`,
  )
} else if (!isReport && typeof said?.message === 'string') {
  // npm prints a message with the reason if the registry offers no audit.
  const line = `Nothing was audited: ${said.message.split('\n')[0]}`
  if (values.required) console.error(`Error: ${line}`)
  else console.log(line)
  process.exitCode = values.required ? 1 : 0
} else {
  const code = error === undefined ? status : error.code
  console.error(
    `Error: npm audit ended with ${code} and without a readable report. Run it by itself to see its output`,
  )
  process.exitCode = 1
}
