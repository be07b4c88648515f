import { UserError } from './user-error.ts'

export interface StackOption {
  readonly stack: string
  /** Whether the arguments name the stack. */
  readonly isNamed: boolean
  /** The other arguments, in their order. */
  readonly rest: readonly string[]
}

/** Takes `--stack <name>` out of the arguments. The default is "dev". */
export function takeStack(args: readonly string[]): StackOption {
  const split = args.flatMap((arg) => (arg.startsWith('--stack=') ? ['--stack', arg.slice(8)] : [arg]))
  const at = split.findIndex(isStackFlag)
  if (at < 0) return { stack: 'dev', isNamed: false, rest: split }
  const [, name, ...rest] = split.slice(at)
  if (!name || name.startsWith('-')) throw new UserError('--stack needs a name')
  if (rest.some(isStackFlag)) throw new UserError('--stack is given twice. Name one stack')
  return { stack: name, isNamed: true, rest: [...split.slice(0, at), ...rest] }
}

function isStackFlag(arg: string): boolean {
  return arg === '--stack' || arg === '-s'
}
