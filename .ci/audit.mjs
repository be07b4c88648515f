// Asks the registry whether anything that runs in production has a serious weakness that is known. Not every registry
// can be asked: then it says so and is content, or with `--required` fails. Needs the lock file only, no packages:
// plain JavaScript.
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
  console.log(`Audit: what runs in production has no known weakness of severity ${SERIOUS.join(' or ')}`)
} else if (!isReport && typeof said?.message === 'string') {
  // What npm says when the registry did not answer as one that audits: the reason is in the message.
  const line = `Nothing was audited: ${said.message.split('\n')[0]}`
  if (values.required) console.error(`Error: ${line}`)
  else console.log(line)
  process.exitCode = values.required ? 1 : 0
} else {
  const code = error === undefined ? status : error.code
  console.error(
    `Error: npm audit ended with ${code} and no report that is understood: see what it says by itself`,
  )
  process.exitCode = 1
}
