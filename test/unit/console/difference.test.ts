import { expect, test } from 'vitest'
import { differences, rebased } from '../../../console/src/base/difference.ts'

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

test('puts edits on top of what somebody else has changed, and keeps the edit where both did', () => {
  const first = {
    days: 1,
    quota: { bytes: 5, entries: 6 },
    policies: { a: 1, b: 1, c: 1, d: 1 },
    list: [1, 2],
  }
  const edited = {
    days: 2,
    quota: { bytes: 7, entries: 6 },
    policies: { b: 2, c: 1, d: 1, e: 1 },
    list: [1, 2],
  }
  const theirs = { days: 3, quota: { bytes: 5, entries: 9 }, policies: { a: 1, b: 3, c: 3, f: 1 }, list: [2] }
  expect(rebased(first, edited, theirs)).toEqual({
    days: 2,
    quota: { bytes: 7, entries: 9 },
    policies: { b: 2, c: 3, e: 1, f: 1 },
    list: [2],
  })
  expect(rebased({ list: [1, 2] }, { list: [1] }, { list: [0, 1, 2] })).toEqual({ list: [1] })
  expect(rebased(first, first, theirs)).toEqual(theirs)
  expect(rebased(first, edited, first)).toEqual(edited)
})

test.each(INHERITED)(
  'puts an edit of a field on top that every object inherits under the same name: %s',
  (name) => {
    const [without, with1, with2] = ['{}', `{"${name}":1}`, `{"${name}":2}`].map((text) => JSON.parse(text))
    expect(rebased(without, with1, without)).toEqual(with1)
    expect(rebased(with1, with1, with2)).toEqual(with2)
    expect(rebased(with1, without, with1)).toEqual({})
  },
)

test('tells lists and objects apart, and compares fields of lists', () => {
  expect(differences({ a: [] }, { a: {} })).toEqual([{ pointer: '/a', contents: [[], {}] }])
  expect(differences({ a: [1] }, { a: [1, 2] })).toEqual([{ pointer: '/a/1', contents: [undefined, 2] }])
  expect(differences({ a: null }, {})).toEqual([{ pointer: '/a', contents: [null, undefined] }])
})
