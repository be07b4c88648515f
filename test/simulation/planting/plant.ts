import type { Alteration } from '../../support/alter.ts'
import type { Floor } from '../host/floor.ts'

/** A wrong version of one function of the product. */
export interface Plant {
  /** The name of the function in worker/src or client/src, which is unique in its build. */
  readonly function: string
  readonly with: (original: Callable, ...args: readonly unknown[]) => unknown
}

/** A mistake that would break a promise of docs/spec.md. */
export interface Bug {
  /** Says what the product does wrong. */
  readonly name: string
  readonly plants: readonly Plant[]
  /** The seed of the first history that shows it; 1 if absent. */
  readonly from?: number
}

type Callable = (...args: readonly unknown[]) => unknown
type AnyFunction = (...args: never[]) => unknown

/** Plants a wrong version of a function. It is called with the right version and the arguments. */
export function plant<F extends AnyFunction>(
  name: string,
  wrong: (original: F, ...args: Parameters<F>) => ReturnType<F>,
): Plant {
  // The name says which function it is, and so which arguments come.
  return { function: name, with: wrong as unknown as Plant['with'] }
}

/** Alters every function that a bug replaces, so that one build serves all bugs. */
export function seamsOf(bugs: readonly Bug[]): readonly Alteration[] {
  const names = new Set(bugs.flatMap(({ plants }) => plants.map((one) => one.function)))
  return Array.from(names, (name) => ({ function: name, with: `plantedAt('${name}')` }))
}

/** Puts a bug into a build, in place of the one before. The result tells whether the product has run into it. */
export function plantBug({ planted }: Pick<Floor, 'planted'>, { plants }: Bug): () => boolean {
  let isMet = false
  planted.clear()
  for (const { function: name, with: wrong } of plants) {
    planted.set(name, (...args) => {
      isMet = true
      return wrong(...args)
    })
  }
  return () => isMet
}
