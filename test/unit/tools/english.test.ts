import { expect, test } from 'vitest'
import { isOdd, sentencesOf } from '../../../.ci/sentences.ts'

const odd = (path: string, text: string) => sentencesOf(path, text).filter((sentence) => isOdd(sentence.text))

const COMMENT = `/**
 * Decides a batch. What it is
 * jose finds out.
 */
export const a = 1 // Of several, the longest wait is told.
function empty() {
  // Else nothing is kept.
}`

test('finds headless sentences in every kind of comment, each at its line', () => {
  expect(odd('worker/src/a.ts', COMMENT)).toEqual([
    { line: 2, text: 'What it is jose finds out.' },
    { line: 5, text: 'Of several, the longest wait is told.' },
    { line: 7, text: 'Else nothing is kept.' },
  ])
  expect(odd('a.toml', 'a = 1\n# Whoever asks\n# gets an answer.')).toEqual([
    { line: 2, text: 'Whoever asks gets an answer.' },
  ])
})

test('reads prose and cells of tables, but no fenced code and no words in backticks', () => {
  const page = 'One.\n\n```\nSo it is here\n```\n\n| a | what comes of it |\n\nWrite `anew` as again.\n'
  expect(odd('docs/a.md', page)).toEqual([{ line: 7, text: 'what comes of it' }])
})

test('reads titles of tests and messages of the product, but no strings of tests', () => {
  const source = "test('[SY2] what loses is kept', () => say('what loses is kept ' + 'by now'))"
  expect(odd('test/a.test.ts', source)).toHaveLength(1)
  expect(odd('worker/src/a.ts', 'throw say(`Something of a key ` + "stands by now.")')).toHaveLength(1)
})

test.each([
  'The winner is none of them',
  'The client starts anew',
  'The feed goes on',
  'Devices go on after a refusal',
])('finds the idiom of "%s"', (sentence) => {
  expect(isOdd(sentence)).toBe(true)
})

test.each(['What does it cost?', 'Somebody asks', 'The handler goes on the stack', 'Offers what it has'])(
  'accepts "%s"',
  (sentence) => {
    expect(isOdd(sentence)).toBe(false)
  },
)
