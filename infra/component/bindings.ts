import { type Input, secret } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, type Declaration } from './declaration.ts'
import { rateLimitNamespaceId } from './names.ts'

type Json = Declaration['vars'][string]

/** One entry of `WorkersScript.bindings`, of a kind that the declaration knows. */
export interface Binding {
  readonly name: string
  readonly type: string
  readonly namespaceId?: Input<string>
  readonly className?: string
  readonly text?: Input<string>
  readonly json?: string
  readonly simple?: Limit
  readonly dataset?: string
}

/** The values that the stack gives to the declared names. */
export interface BindingValues {
  readonly namespaces: Readonly<Record<string, Input<string>>>
  readonly secrets: Readonly<Record<string, Input<string>>>
  readonly variables: Readonly<Record<string, Json>>
  /** Datasets of the Analytics Engine. */
  readonly datasets: Readonly<Record<string, string>>
  /** Requests per minute, instead of the declared limit. */
  readonly limitsPerMinute: Readonly<Record<string, number | undefined>>
}

/**
 * The bindings of the script, sorted by name, because the API lists them sorted and the provider compares by index.
 * Throws a RunError if a declared name has no value, or if a value has no declared name.
 */
export function bindingsOf(
  declaration: Declaration,
  values: BindingValues,
  scriptName: string,
): readonly Binding[] {
  checkNames(declaration, values)
  const bindings: readonly Binding[] = [
    ...declaration.durable_objects.bindings.map(toObjectBinding),
    ...Object.entries(values.namespaces).map(toNamespaceBinding),
    ...Object.entries(values.secrets).map(toSecretBinding),
    ...Object.entries(values.variables).map(toVariableBinding),
    ...Object.entries(values.datasets).map(toDatasetBinding),
    ...(declaration.assets ? [{ name: declaration.assets.binding, type: 'assets' }] : []),
    ...declaration.ratelimits.map(({ name, simple }) => ({
      name,
      type: 'ratelimit',
      namespaceId: rateLimitNamespaceId(scriptName, name),
      simple: toLimit(simple, values.limitsPerMinute[name]),
    })),
  ]
  checkUnique(bindings.map(({ name }) => name))
  return bindings.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function checkUnique(names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated === undefined) return
  throw new RunError(
    `${DECLARATION_FILE} declares two bindings with the name ${repeated}: rename one of them`,
  )
}

/**
 * The bindings by name, without their secrets, for an output. A preview hides the whole `bindings` property of the
 * script, because one of them is a secret, so a changed binding shows only here.
 */
export function shownBindings(bindings: readonly Binding[]): Readonly<Record<string, Input<string>>> {
  return Object.fromEntries(bindings.map((binding) => [binding.name, shownValue(binding)]))
}

function shownValue(binding: Binding): Input<string> {
  const { type, simple, className, json, text, namespaceId, dataset } = binding
  if (type === 'secret_text') return '[secret]'
  if (type === 'assets') return 'static assets'
  if (simple) return `${simple.limit} per ${simple.period} s`
  return className ?? json ?? text ?? namespaceId ?? dataset ?? ''
}

function toObjectBinding(declared: { name: string; class_name: string }): Binding {
  return { name: declared.name, type: 'durable_object_namespace', className: declared.class_name }
}

function toNamespaceBinding([name, namespaceId]: [string, Input<string>]): Binding {
  return { name, type: 'kv_namespace', namespaceId }
}

function toSecretBinding([name, text]: [string, Input<string>]): Binding {
  return { name, type: 'secret_text', text: secret(text) }
}

function toVariableBinding([name, value]: [string, Json]): Binding {
  if (typeof value === 'string') return { name, type: 'plain_text', text: value }
  return { name, type: 'json', json: JSON.stringify(value) }
}

function toDatasetBinding([name, dataset]: [string, string]): Binding {
  return { name, type: 'analytics_engine', dataset }
}

interface Limit {
  readonly limit: number
  readonly period: number
}

function toLimit(declared: Limit, perMinute: number | undefined): Limit {
  return perMinute === undefined ? declared : { limit: perMinute, period: 60 }
}

function checkNames(declaration: Declaration, values: BindingValues): void {
  const limits = declaration.ratelimits.map(({ name }) => name)
  const namespaces = declaration.kv_namespaces.map(({ binding }) => binding)
  checkSet('KV namespace', namespaces, Object.keys(values.namespaces))
  checkSet('secret', declaration.secrets.required, Object.keys(values.secrets))
  checkSet('variable', Object.keys(declaration.vars), Object.keys(values.variables))
  checkSet(
    'dataset',
    declaration.analytics_engine_datasets.map(({ binding }) => binding),
    Object.keys(values.datasets),
  )
  checkSet('rate limit', limits, [...limits, ...Object.keys(values.limitsPerMinute)])
}

function checkSet(kind: string, declared: readonly string[], given: readonly string[]): void {
  const missing = declared.find((name) => !given.includes(name))
  if (missing !== undefined) {
    throw new RunError(
      `${DECLARATION_FILE} declares the ${kind} ${missing}, but infra/component/provision.ts gives it no value: add it there`,
    )
  }
  const extra = given.find((name) => !declared.includes(name))
  if (extra !== undefined) {
    throw new RunError(
      `infra/component/provision.ts gives the ${kind} ${extra} a value, but ${DECLARATION_FILE} does not declare it: add it there`,
    )
  }
}
