import { runtime } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { Args, checkArgs, isMistaken, type Mistake, type Settings } from '../component/args.ts'

/** Reads the settings of the stack. Throws one RunError with a line for every mistake, which says what to write where. */
export function readSettings(project: string, stack: string): Settings {
  const texts = textsOf(project)
  const values = Object.entries(texts).map(([key, text]) => [key, toValue(key, text)])
  // A stack file must say it, because the component's default would protect a stack less or more than was meant.
  const checked = checkArgs({ environment: '', ...Object.fromEntries(values) })
  if (!isMistaken(checked)) return checked
  const lines = checked.map((mistake) => describe(mistake, { project, stack, text: texts[mistake.key] }))
  throw new RunError([...new Set(lines)].join('\n'))
}

/**
 * Reads the texts of the project's own keys. Empty texts are left out, because Pulumi.yaml has them as the default of
 * settings without one.
 */
function textsOf(project: string): Readonly<Record<string, string>> {
  const prefix = `${project}:`
  const own = Object.entries(runtime.allConfig()).filter(
    ([key, value]) => key.startsWith(prefix) && value !== '',
  )
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** Converts the text of a setting. The engine passes every value as text, and lists as JSON. */
function toValue(key: string, text: string): unknown {
  const schema = Args.shape[key as keyof typeof Args.shape]
  if (schema?.safeParse(text).success) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface Place {
  readonly project: string
  readonly stack: string
  readonly text: string | undefined
}

function describe({ key, found, expected, example }: Mistake, { project, stack, text }: Place): string {
  const name = `${project}:${key}`
  const line = `${name} ${found ?? (text === undefined ? 'is missing' : `is ${JSON.stringify(text)}`)}, expected ${expected}`
  return example ? `${line}. Write in Pulumi.${stack}.yaml, for example: ${name}: ${example}` : line
}
