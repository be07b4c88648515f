import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatTag, isKnown } from '../../../worker/src/core/values/etag.ts'

const tag = formatTag(['k3x9.7', 0, '0.1.0+a1b2'])

test('[CA1] If-None-Match names a tag alone, in a list, weak or strong, or all of them', () => {
  expect(tag).toBe('W/"k3x9.7/0/0.1.0+a1b2"')
  const strong = '"k3x9.7/0/0.1.0+a1b2"'
  for (const known of [
    tag,
    strong,
    '*',
    ' * ',
    ` ${tag}\t`,
    `"a", ${tag}`,
    `${tag},"a"`,
    `"a",W/"b"\t, ${strong} ,"c"`,
    `, ,${tag},,`,
    `"a,b",${tag}`,
    `"",${tag}`,
    `"caf\u00e9",${tag}`,
  ]) {
    expect(isKnown(tag, known), known).toBe(true)
  }
})

test('[CA1] whatever else If-None-Match says names nothing', () => {
  const opaque = 'k3x9.7/0/0.1.0+a1b2'
  for (const unknown of [
    null,
    '',
    '""',
    opaque,
    `"${opaque}`,
    `${opaque}"`,
    `w/"${opaque}"`,
    `W/ "${opaque}"`,
    `'${opaque}'`,
    `"${opaque}x"`,
    `"x,${tag}"`,
    `"a" ${tag}`,
    `${tag} "a"`,
    `"a"${tag}`,
    `*, "a"`,
    'W/"k3x9.8/0/0.1.0+a1b2"',
  ]) {
    expect(isKnown(tag, unknown), String(unknown)).toBe(false)
  }
})

test('[CA1] a list of any tags names exactly those', () => {
  const opaques = fc.stringMatching(/^[!#-~]{0,12}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(opaques, fc.boolean())), opaques, (listed, wanted) => {
      const list = listed.map(([opaque, weak]) => `${weak ? 'W/' : ''}"${opaque}"`).join(', ')
      expect(isKnown(`W/"${wanted}"`, list)).toBe(listed.some(([opaque]) => opaque === wanted))
    }),
    { seed: 9 },
  )
})
