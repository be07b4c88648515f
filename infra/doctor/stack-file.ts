import { readStack, readStackSecrets, type Stack, type StackSecrets } from '../cli/stack-file.ts'
import { type Finding, wrong } from './finding.ts'

/** Namespaces of the providers and of the engine. The program reads only keys of its own project. */
const KNOWN = ['cloudflare', 'random', 'pulumi']

export interface StackFiles {
  readonly stack: Stack
  readonly secrets: StackSecrets
}

/** Reads the files of a stack. Encrypted values, which only the CLI can read, are empty. */
export function readStackFiles(root: string, name: string): StackFiles {
  const secrets = readStackSecrets(root, name)
  const blanks = Object.fromEntries(secrets.encryptedKeys.map((key) => [key, '']))
  return { secrets, stack: readStack(root, name, blanks) }
}

/** Finds settings of another project, which the program would overlook without a word. */
export function examineNamespaces({ project, name, config }: Stack): readonly Finding[] {
  const foreign = Object.keys(config).filter((key) => ![project, ...KNOWN].includes(key.split(':')[0] ?? ''))
  return foreign.map((key) => {
    const own = `${project}:${key.slice(key.indexOf(':') + 1)}`
    const found = `Pulumi.${name}.yaml has ${key}, a setting of another project`
    return wrong('stack file', found, `Write ${own}, or delete the line`)
  })
}
