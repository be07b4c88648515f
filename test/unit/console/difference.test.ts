import { expect, test } from 'vitest'
import { differences } from '../../../console/src/base/difference.ts'

const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']

test.each(INHERITED)('shows a field that every object inherits under the same name: %s', (name) => {
  const [without, with1, with2] = ['{"a":1}', `{"a":1,"${name}":1}`, `{"a":1,"${name}":{"b":2}}`].map(
    (text) => JSON.parse(text),
  )
  const pointer = `/${name}`
  expect(differences(without, with1)).toEqual([{ pointer, contents: [undefined, 1] }])
  expect(differences(with1, without)).toEqual([{ pointer, contents: [1, undefined] }])
  expect(differences(with1, with2)).toEqual([{ pointer, contents: [1, { b: 2 }] }])
  expect(differences(with2, with2)).toEqual([])
  expect(differences([without], [with1])).toEqual([{ pointer: `/0/${name}`, contents: [undefined, 1] }])
})

test('compares any number of values with the first one, and a deleted one too', () => {
  expect(differences({ a: 1, b: [1] }, { a: 2, b: [1] }, undefined)).toEqual([
    { pointer: '', contents: [{ a: 1, b: [1] }, { a: 2, b: [1] }, undefined] },
  ])
  expect(differences({ 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } })).toEqual([
    { pointer: '/a~1b/~0', contents: [1, 2] },
  ])
  expect(differences(undefined, undefined)).toEqual([])
})
