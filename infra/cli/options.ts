import { parseArgs } from 'node:util'
import { answerHelp } from './help.ts'
import { UserError } from './user-error.ts'

/** The options of every command that runs a stack on this machine. */
export interface StackOptions {
  readonly stack: string
  /** Settings that override those of the stack file. */
  readonly config: Readonly<Record<string, string>>
}

/** Reads the options of a command, all as text: those of a stack, and `own` ones with their defaults. */
export function readOptions<Own extends string>(
  args: readonly string[],
  usage: string,
  own: Readonly<Record<Own, string>>,
): StackOptions & { readonly own: Readonly<Record<Own, string>> } {
  answerHelp(args, usage)
  const { stack, config, ...values } = parse(args, usage, own)
  // Every own option has a default, so all of them have a value.
  return { stack, config: Object.fromEntries(config.map(toPair)), own: values as Record<Own, string> }
}

function parse(args: readonly string[], usage: string, own: Readonly<Record<string, string>>) {
  const owned = Object.entries(own).map(
    ([name, value]) => [name, { type: 'string', default: value }] as const,
  )
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(owned),
        stack: { type: 'string', default: 'dev' },
        config: { type: 'string', multiple: true, default: [] },
      },
    })
    return values
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new UserError(`${reason}. Usage: ${usage}`)
  }
}

function toPair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UserError(`--config is "${text}", expected key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}
