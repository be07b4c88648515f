import type { Floor } from './host/floor.ts'
import { type Bug, plantBug } from './planting/plant.ts'

interface Search<B> {
  /** The number of histories in which the bug has to show. */
  readonly histories: number
  /** The build of the product in which the history of a seed runs. */
  readonly build: (seed: number) => B
  readonly run: (seed: number, build: B) => Promise<unknown>
}

/** Finds the first violation, or another error, in the histories of a product with a bug. Says why if there is none. */
export async function firstSymptom<B extends Pick<Floor, 'planted'>>(
  bug: Bug,
  { histories, build, run }: Search<B>,
): Promise<string> {
  const { from = 1 } = bug
  let isMet = false
  for (let seed = from; seed < from + histories; seed++) {
    const product = build(seed)
    const meets = plantBug(product, bug)
    try {
      await run(seed, product)
    } catch (symptom) {
      return String(symptom)
    }
    isMet ||= meets()
  }
  const functions = bug.plants.map((one) => one.function).join(', ')
  return isMet
    ? `not seen in ${histories} histories from seed ${from}`
    : `never run: the product does not call ${functions} where the bug was. Plant it where this is decided now.`
}
