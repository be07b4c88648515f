import { expect, test } from 'vitest'
import { parseGenerations } from '../../../worker/src/core/values/generations.ts'

test('[KR1] a ring lists its generations, the newest first', () => {
  expect(parseGenerations('1:a')).toEqual([{ generation: 1, secret: 'a' }])
  expect(parseGenerations('12:b:c= 3:a')).toEqual([
    { generation: 12, secret: 'b:c=' },
    { generation: 3, secret: 'a' },
  ])
})

test.each([
  '',
  'a',
  ':a',
  '1:',
  '0:a',
  '01:a',
  '1:a ',
  ' 1:a',
  '1:a  0:b',
  '1:a 2:b',
  '1:a 1:b',
  '-1:a',
  '1e3:a',
])('[KR1] "%s" is no ring', (text) => {
  expect(parseGenerations(text)).toBeNull()
})
