import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Plugin } from 'esbuild'

/** Constant of the product, with another value. */
export interface OtherConstant {
  readonly constant: string
  /** JavaScript expression. */
  readonly value: string
}

/** Function of the product, with a wrapper around it. */
export interface OtherFunction {
  readonly function: string
  /** File name of its module, required if other modules declare a function of this name too. */
  readonly in?: string
  /** JavaScript function that is called with the original and then its arguments. */
  readonly with: string
}

/**
 * Change of the product that names what it changes. Only the name counts, so a file may move and its lines may change.
 * The function need not be exported.
 */
export type Alteration = OtherConstant | OtherFunction

/** Changes modules of the product while they are bundled. Fails unless exactly one module declares each name. */
export function altering(alterations: readonly Alteration[]): Plugin {
  return {
    name: 'alter',
    setup({ onStart, onLoad, onEnd }) {
      const places = new Map<Alteration, string[]>()
      onStart(() => places.clear())
      onLoad({ filter: /(?:worker|client)\/src\/.*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const module = basename(path)
        const wanted = alterations.filter((alteration) => isDeclared(alteration, { module, text }))
        for (const alteration of wanted) places.set(alteration, [...(places.get(alteration) ?? []), module])
        return { contents: wanted.reduce(alter, text), loader: 'ts' }
      })
      onEnd(() => {
        const errors = alterations.flatMap((alteration) =>
          problemWith(alteration, places.get(alteration) ?? []),
        )
        return { errors: errors.map((text) => ({ text })) }
      })
    },
  }
}

function isDeclared(alteration: Alteration, { module, text }: { module: string; text: string }): boolean {
  const isPlace = !('in' in alteration) || alteration.in === module
  return isPlace && declarationOf(alteration).test(text)
}

/** Matches the start of a declaration at the top level of a module, up to the name. */
function declarationOf(alteration: Alteration): RegExp {
  return 'constant' in alteration
    ? new RegExp(`^export const ${alteration.constant}(?=: |\\s*=)`, 'm')
    : new RegExp(`^(export )?(async )?function(\\*)? ${alteration.function}(?=[<(])`, 'm')
}

function alter(text: string, alteration: Alteration): string {
  if ('constant' in alteration) {
    const { constant, value } = alteration
    return text.replace(
      declarationOf(alteration),
      `export const ${constant} = ${value}\nconst original_${constant}`,
    )
  }
  const { function: name, with: other } = alteration
  const [, exported = ''] = declarationOf(alteration).exec(text) ?? []
  const renamed = text.replace(declarationOf(alteration), `$2function$3 original_${name}`)
  // Hoisted: modules that import each other may call the function before this module has run.
  return `${renamed}\n${exported}function ${name}(...args) { return (${other})(original_${name}, ...args) }\n`
}

/** Returns why an alteration cannot be made, and the remedy. */
function problemWith(alteration: Alteration, modules: readonly string[]): readonly string[] {
  const name =
    'constant' in alteration ? `constant ${alteration.constant}` : `function ${alteration.function}`
  if (modules.length === 1) return []
  if (modules.length > 1) return [`the ${name} is declared in ${modules.join(' and ')}: say which by \`in\``]
  return [
    `the ${name} is not in what is built: find where this is decided now, and name that function instead`,
  ]
}
