import { expect, test } from 'vitest'
import {
  MAX_IN_FLIGHT_BYTES,
  MAX_WAITING_BYTES,
  PAGE_IN_FLIGHT_BYTES,
  PUSH_IN_FLIGHT_FACTOR,
  PUSH_WAITING_FACTOR,
  WAITING_BYTES,
} from '../../../worker/src/core/values/limits.ts'
import { accepted } from '../../../worker/src/core/values/result.ts'
import { inFlight, type Weight } from '../../../worker/src/objects/space/in-flight.ts'
import { weightOfPush } from '../../../worker/src/objects/space/serve.ts'

const HALF = { served: MAX_IN_FLIGHT_BYTES / 2, waiting: MAX_WAITING_BYTES / 4 }

/** Requests that run until they are told to end. */
function requests() {
  const flight = inFlight()
  const begun: string[] = []
  const ended: string[] = []
  const ends = new Map<string, (failure?: Error) => void>()
  return {
    begun,
    /** The outcome of each: done, failed, or the code of its refusal. */
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

test('[SC15] serves at once the requests that fit, and the rest in order, whether or not those before fail', async () => {
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

test('[SC15] lets no request overtake a large one that waits, and serves one that is larger than all alone', async () => {
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

test('[SC15] tells a request to retry if the queue is full, and starts nothing', async () => {
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

test('[SC15] weighs a push by its text, and adds a page if it may ask for one', () => {
  const [push, pull] = ['{"changes":[]}', '{"cursor":null}'].map(weightOfPush)
  expect(push).toEqual({
    served: 14 * PUSH_IN_FLIGHT_FACTOR,
    waiting: WAITING_BYTES + 14 * PUSH_WAITING_FACTOR,
  })
  expect(pull?.served).toBe(15 * PUSH_IN_FLIGHT_FACTOR + PAGE_IN_FLIGHT_BYTES)
})
