/// <reference path="./js-yaml.d.ts" />
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { z } from 'zod'
import { UserError } from './user-error.ts'

/** A project and one of its stacks, as the CLI would pass them to the program. */
export interface Stack {
  readonly project: string
  readonly name: string
  /** The path of the program, from the root. */
  readonly main: string
  /** Full keys. Lists and objects are JSON text, as the SDK expects. */
  readonly config: Readonly<Record<string, string>>
  /** The URL of the state's back-end, if Pulumi.yaml names one. */
  readonly backend: string | undefined
}

const ConfigValue = z.json()
const ProjectFile = z.object({
  name: z.string(),
  main: z.string(),
  // A value holds for every stack. `pulumi new` writes one, with the template that it used.
  config: z
    .record(z.string(), z.object({ default: ConfigValue.optional(), value: ConfigValue.optional() }))
    .default({}),
  backend: z.object({ url: z.string().optional() }).optional(),
})
const StackFile = z.object({
  config: z.record(z.string(), ConfigValue).default({}),
  encryptionsalt: z.string().optional(),
  encryptedkey: z.string().optional(),
})

/**
 * Reads a stack. Values of Pulumi.<name>.yaml override the defaults of Pulumi.yaml, and `overrides` both. A key
 * without a namespace belongs to the project.
 */
export function readStack(root: string, name: string, overrides: Readonly<Record<string, string>>): Stack {
  const project = parseFile(root, 'Pulumi.yaml', ProjectFile)
  const { config } = parseStackFile(root, name)
  const defaults = Object.entries(project.config).flatMap(([key, { value, default: fallback = value }]) =>
    fallback === undefined ? [] : [[key, fallback] as const],
  )
  const all = [...defaults, ...Object.entries(config), ...Object.entries(overrides)]
  // Applies overrides before any value is read, so that an override can replace an encrypted value.
  const values = new Map(all.map(([key, value]) => [fullKey(project.name, key), value]))
  const texts = [...values].map(([key, value]) => [key, toText(name, key, value)])
  const backend = project.backend?.url
  return { project: project.name, name, main: project.main, config: Object.fromEntries(texts), backend }
}

/** How a stack file keeps its secrets. */
export interface StackSecrets {
  /** Derived from the passphrase; undefined for a stack without one. */
  readonly salt: string | undefined
  /** Whether `pulumi stack init` has written the salt or the encrypted key. Pulumi Cloud writes neither. */
  readonly hasKey: boolean
  /** Full keys of the values that only the CLI can decrypt. */
  readonly encryptedKeys: readonly string[]
}

export function readStackSecrets(root: string, name: string): StackSecrets {
  const { name: project } = parseFile(root, 'Pulumi.yaml', ProjectFile)
  const { config, encryptionsalt: salt, encryptedkey } = parseStackFile(root, name)
  const encrypted = Object.entries(config).filter(([, value]) => isEncrypted(value))
  const hasKey = salt !== undefined || encryptedkey !== undefined
  return { salt, hasKey, encryptedKeys: encrypted.map(([key]) => fullKey(project, key)) }
}

/** The name of a stack's file, which must exist. */
export function stackFile(root: string, name: string): string {
  const file = `Pulumi.${name}.yaml`
  if (/^[A-Za-z0-9_.-]+$/.test(name) && existsSync(join(root, file))) return file
  throw new UserError(
    `there is no stack "${name}", because there is no file ${file}. Choose one with --stack: ${listStacks(root).join(', ')}. For a new one, copy Pulumi.pr.yaml to ${file}`,
  )
}

function parseStackFile(root: string, name: string): z.infer<typeof StackFile> {
  return parseFile(root, stackFile(root, name), StackFile)
}

function listStacks(root: string): readonly string[] {
  return (
    readdirSync(root)
      .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
      .filter((name) => name !== undefined)
      // Pulumi.pr.yaml is only copied.
      .filter((name) => name !== 'pr')
      .sort()
  )
}

function parseFile<T>(root: string, file: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(readYaml(root, file) ?? {})
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new UserError(`${file}: ${issue?.path.join('.')}: ${issue?.message}`)
}

function readYaml(root: string, file: string): unknown {
  try {
    return load(readFileSync(join(root, file), 'utf8'))
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw new UserError(`${file} cannot be read: ${reason}`)
  }
}

function fullKey(project: string, key: string): string {
  return key.includes(':') ? key : `${project}:${key}`
}

function isEncrypted(value: z.infer<typeof ConfigValue>): boolean {
  return typeof value === 'object' && value !== null && 'secure' in value
}

function toText(stack: string, key: string, value: z.infer<typeof ConfigValue>): string {
  if (isEncrypted(value)) {
    throw new UserError(
      `${key} is encrypted in Pulumi.${stack}.yaml and cannot be read here. Pass it with --config ${key}=<value>`,
    )
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
