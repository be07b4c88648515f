import { changesBetween } from '../../local/engine/diff.ts'
import { bindingLines } from './binding-lines.ts'
import type { Line, Plan, PlannedStep } from './plan.ts'
import { kilobytes, objectOf, show, showChange } from './values.ts'

/** Says what changes in the outputs of a service that was deployed before: version, size, addresses, bindings, layout. */
export function serviceLines({ before, after }: Plan, script: PlannedStep | undefined): readonly Line[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !isRead(key))
  const rest = keys.flatMap((key) => changesBetween({ [key]: before[key] }, { [key]: after[key] }))
  return [
    ...codeLines(before, after),
    ...addressLines(before, after),
    ...bindingLines(before, after, script),
    ...assetLines(before, after),
    ...layoutLines(before, after),
    ...rest.map(
      ({ path, before, after }): Line => ({
        topic: 'other',
        text: `output ${path}: ${showChange(before, after)}`,
      }),
    ),
  ]
}

/** The outputs with sentences of their own, and those that only repeat another one or the engine's steps. */
const READ = [
  'adminToken',
  'assets',
  'bindings',
  'liveUrl',
  'namespaceId',
  'release',
  'scriptName',
  'url',
  'version',
]

function isRead(key: string): boolean {
  return READ.includes(key)
}

type Outputs = Plan['before']

/** The version and the size of the code, which the first deployment shows too. */
export function codeLines(before: Outputs, after: Outputs): readonly Line[] {
  const [old, now] = [sizeOf(before), sizeOf(after)]
  if (before.version === after.version) return []
  const version =
    before.version === undefined ? show(after.version) : showChange(before.version, after.version)
  const change = old === undefined || now === undefined ? '' : ` (${now < old ? '' : '+'}${now - old} bytes)`
  const size = now === undefined ? '' : `, ${kilobytes(now)}${change}`
  return [{ topic: 'code', text: `Version ${version}${size}.` }]
}

function sizeOf({ release }: Outputs): number | undefined {
  const { scriptBytes } = objectOf(release)
  return typeof scriptBytes === 'number' ? scriptBytes : undefined
}

function addressLines(before: Outputs, after: Outputs): readonly Line[] {
  if (before.url === after.url) return []
  return [{ topic: 'users', text: `The url of the stack: ${showChange(before.url, after.url)}.` }]
}

function assetLines(before: Outputs, after: Outputs): readonly Line[] {
  const changes = changesBetween(objectOf(before.assets), objectOf(after.assets))
  return changes.map(({ path, before, after }) => ({
    topic: 'code',
    text: `The file ${path} that the service serves: ${showChange(before, after)}.`,
  }))
}

function layoutLines(before: Outputs, after: Outputs): readonly Line[] {
  const [old, now] = [objectOf(before.release).layout, objectOf(after.release).layout]
  if (old === undefined || old === now) return []
  const text = `Spaces are stored in another layout: ${showChange(old, now)}. Versions before this one cannot read what it has written, and are refused.`
  return [{ topic: 'data', text, isFinal: true }]
}
