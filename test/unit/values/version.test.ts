import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FOREIGN, isVersion, parseVersion } from '../../../worker/src/core/values/version.ts'

test('reads the sequence number of a version of its epoch, and of no other text', () => {
  const digits = fc.stringMatching(/^[0-9./:e+ ]{0,17}$|^[1-9]\d{14,16}$/)
  const texts = fc.tuple(fc.constantFrom('k3', 'k3x', 'k', ''), fc.constantFrom('.', '', '..'), digits)
  fc.assert(
    fc.property(texts, ([epoch, dot, number]) => {
      const text = `${epoch}${dot}${number}`
      const isOwn = isVersion(text) && text.startsWith('k3.')
      expect(parseVersion(text, 'k3')).toBe(isOwn ? Number(text.slice(3)) : FOREIGN)
    }),
    { seed: 16, numRuns: 5000 },
  )
  expect(parseVersion('k3.9007199254740993', 'k3')).toBe(Number('9007199254740993'))
})
