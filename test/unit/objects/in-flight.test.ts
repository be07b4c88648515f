import { expect, test } from 'vitest'
import { MAX_IN_FLIGHT_BYTES, MAX_WAITING_BYTES } from '../../../worker/src/core/values/limits.ts'
import { accepted } from '../../../worker/src/core/values/result.ts'
import { inFlight, type Weight } from '../../../worker/src/objects/space/in-flight.ts'

const HALF = { served: MAX_IN_FLIGHT_BYTES / 2, waiting: MAX_WAITING_BYTES / 4 }

/** Requests that go on until they are told to end. */
function requests() {
  const flight = inFlight()
  const begun: string[] = []
  const ended: string[] = []
  const ends = new Map<string, (failure?: Error) => void>()
  return {
    begun,
    /** What became of them: done, failed, or the code of their refusal. */
    ended,
    ask(name: string, weight: Weight = HALF): void {
      const work = async () => {
        begun.push(name)
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        ends.set(name, (failure) => (failure === undefined ? resolve() : reject(failure)))
        await promise
        return accepted(name)
      }
      flight.serve(weight, work).then(
        (result) => ended.push(`${name} ${result.ok ? 'done' : result.fault.code}`),
        () => ended.push(`${name} failed`),
      )
    },
    async end(names: string, failure?: Error): Promise<void> {
      for (const name of names) {
        ends.get(name)?.(failure)
        await new Promise(setImmediate)
      }
    },
  }
}

test('[SC15] what fits is served at once, the rest in the order of coming, whatever becomes of those before', async () => {
  const { ask, begun, ended, end } = requests()
  for (const name of 'abcde') ask(name)
  expect(begun.join('')).toBe('ab')
  await end('b', new Error('defect'))
  expect(begun.join('')).toBe('abc')
  await end('ac')
  expect(begun.join('')).toBe('abcde')
  ask('f', { served: 1, waiting: 1 })
  expect(begun.join('')).toBe('abcde')
  await end('def')
  expect(ended).toEqual(['b failed', 'a done', 'c done', 'd done', 'e done', 'f done'])
})

test('[SC15] nothing overtakes a large one that waits, and one that is larger than all is served alone', async () => {
  const { ask, begun, ended, end } = requests()
  ask('a')
  ask('L', { served: 3 * MAX_IN_FLIGHT_BYTES, waiting: 1 })
  ask('b')
  expect(begun.join('')).toBe('a')
  await end('a')
  expect(begun.join('')).toBe('aL')
  await end('Lb')
  expect(ended).toEqual(['a done', 'L done', 'b done'])
})

test('[SC15] one that the line has no room for is told to come again, and begins nothing', async () => {
  const { ask, begun, ended, end } = requests()
  for (const name of 'abcdef') ask(name)
  ask('g')
  ask('h', { served: 1, waiting: 1 })
  ask('p', { served: 1, waiting: 0 })
  await end('')
  await new Promise(setImmediate)
  expect(ended).toEqual(['g busy', 'h busy'])
  await end('abcdefp')
  expect(begun.join('')).toBe('abcdefp')
  ask('i')
  expect(begun.join('')).toBe('abcdefpi')
})
