import { parseArgs } from 'node:util'
import { UserError } from '../infra/cli/user-error.ts'

export const USAGE = 'npm run bench -- [--quick] [--json FILE] [--write-docs]'

export interface Options {
  /** Whether only the writes of the product and the bare objects are measured, in short rounds. */
  readonly quick: boolean
  /** The file for the records of the writes. */
  readonly json: string | null
  /** Whether the run replaces the tables and plots of docs/performance.md. */
  readonly write: boolean
}

export function optionsOf(args: readonly string[]): Options {
  const { quick, json, 'write-docs': write } = parse(args)
  if (quick && write)
    throw new UserError('--quick measures too little for --write-docs. Leave one of them out')
  return { quick, json: json ?? null, write }
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        'write-docs': { type: 'boolean', default: false },
      },
    })
    return values
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new UserError(`${reason}. Usage: ${USAGE}`)
  }
}
