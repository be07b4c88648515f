import type { Step } from './engine/deployment.ts'
import { type Change, type Operation, signOf } from './engine/diff.ts'
import { type Properties, redact, UNKNOWN } from './engine/properties.ts'
import type { RunningCloud } from './start-cloud.ts'

const SIGNS: Readonly<Record<Operation, string>> = {
  create: '+',
  update: '~',
  replace: '±',
  delete: '-',
  same: ' ',
}

/** Formats the resources as a tree, each with its operation. */
export function formatTree(steps: readonly Step[]): string {
  const rows: { left: string; step: Step }[] = []
  function walk(parent: string, depth: number): void {
    for (const step of steps.filter(({ resource }) => resource.parent === parent)) {
      const { type, name, urn } = step.resource
      rows.push({ left: `${'   '.repeat(depth)}${shortType(type)}  ${name}`, step })
      walk(urn, depth + 1)
    }
  }
  walk('', 0)
  const width = Math.max(...rows.map(({ left }) => left.length))
  return rows
    .map(({ left, step: { operation, changes } }) => {
      const diff = changes.length > 0 ? `  [${changes.map(shortChange).join(' ')}]` : ''
      return ` ${SIGNS[operation]} ${left.padEnd(width)}  ${operation}${diff}`
    })
    .join('\n')
}

/** Lists every changed value under its resource, and marks those that force a replacement. */
export function formatDetails(steps: readonly Step[]): string {
  const changed = steps.filter(({ changes }) => changes.length > 0)
  return changed
    .map(({ resource, operation, changes }) =>
      [`${resource.name}: ${operation}`, ...changes.map((change) => `    ${formatChange(change)}`)].join(
        '\n',
      ),
    )
    .join('\n')
}

/** Formats a change like `~ hostname: "a" => "b" (forces replacement)`. Secrets are redacted. */
export function formatChange(change: Change): string {
  const [before, after] = [change.before, change.after].map(formatSide)
  const values = [before, after].filter((side) => side !== undefined).join(' => ')
  return `${signOf(change)} ${change.path}: ${values}${change.replaces ? ' (forces replacement)' : ''}`
}

function formatSide(value: unknown): string | undefined {
  return JSON.stringify(redact(value))?.replaceAll(`"${UNKNOWN}"`, '(known afterwards)')
}

export function formatOutputs(outputs: Properties): string {
  const names = Object.keys(outputs).sort()
  const width = Math.max(...names.map((name) => name.length))
  return names.map((name) => `    ${name.padEnd(width)} : ${formatValue(redact(outputs[name]))}`).join('\n')
}

type Words = Readonly<Partial<Record<Operation, string>>>

/** Words for the operations of a run, and for those of a preview. */
export const DONE: Words = {
  create: 'created',
  update: 'updated',
  replace: 'replaced',
  delete: 'deleted',
  same: 'unchanged',
}
export const FORESEEN: Words = {
  create: 'to create',
  update: 'to update',
  replace: 'to replace',
  delete: 'to delete',
  same: 'unchanged',
}

/** Counts the operations, like "9 created, 2 unchanged". */
export function formatCounts(steps: readonly Step[], words: Words): string {
  return Object.entries(words)
    .map(([operation, word]) => ({
      word,
      count: steps.filter((step) => step.operation === operation).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`)
    .join(', ')
}

/** Formats commands to paste. They read the token from its file, so that it is never on the screen. */
export function formatCommands({ url, outputs }: RunningCloud, authFile: string | undefined): string {
  const host = outputs.hosts.includes('127.0.0.1') ? '' : ` -H 'Host: ${outputs.hosts[0]}'`
  const lines = [`curl${host} ${url}/api/health`]
  if (authFile) {
    lines.push(`curl${host} ${url}/api/auth -H 'Content-Type: application/json' -d @${quote(authFile)}`)
  }
  return lines.map((line) => `    ${line}`).join('\n')
}

function shortChange(change: Change): string {
  return `${signOf(change)}${change.path}`
}

/** Shortens a type as the CLI does: `cloudflare:index/workersScript:WorkersScript` to `cloudflare:index:WorkersScript`. */
function shortType(type: string): string {
  return type.replace(/\/[^:]*/, '')
}

function formatValue(value: unknown): string {
  if (value === UNKNOWN) return '(known afterwards)'
  if (!Array.isArray(value)) return typeof value === 'string' ? value : JSON.stringify(value)
  return value.map((item) => `\n        ${Object.values(item).map(formatValue).join('  ')}`).join('')
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
