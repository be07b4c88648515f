import { expect, test } from 'vitest'
import { checkMasterKeys } from '../../../infra/component/master-keys.ts'
import { checkLayout } from '../../../infra/component/release.ts'
import { parseLayout, readLayout } from '../../../infra/program/layout.ts'
import { LAYOUT } from '../../../worker/src/core/space/layout.ts'

type Case = readonly [
  live: readonly number[] | 'no record' | 'nothing' | 'an old record',
  now: readonly number[],
  swept: number,
  refusal: RegExp | null,
]

const BEFORE = {
  nothing: { last: undefined, isDeployed: false },
  'no record': { last: undefined, isDeployed: true },
  'an old record': { last: {}, isDeployed: true },
} as const

test.each<Case>([
  ['nothing', [1], 0, null],
  ['nothing', [7], 0, null],
  [[1], [1], 0, null],
  [[1], [2, 1], 0, null],
  [[2, 1], [2, 1], 2, null],
  [[2, 1], [2], 2, null],
  [[2], [2], 2, null],
  [[2], [2], 0, null],
  [[2], [3, 2], 2, null],
  [[3, 2, 1], [3, 2], 2, null],
  ['an old record', [2, 1], 0, null],
  ['no record', [1], 0, null],
  ['no record', [2, 1], 0, null],
  ['no record', [3, 2], 2, null],
  [[1], [2], 0, /^masterKeys is \[2\], which takes away master key 1: .* Write masterKeys: \[2, 1\], deploy/],
  ['an old record', [2], 0, /takes away master key 1:/],
  ['no record', [2], 0, /takes away master key 1:/],
  ['no record', [3, 1], 0, /takes away master key 2: .* Write masterKeys: \[3, 2, 1\]/],
  [[2, 1], [1], 0, /takes away master key 2:/],
  [[2, 1], [1], 1, /takes away master key 2:/],
  [[2, 1], [3], 2, /takes away master key 2:/],
  [[3, 2, 1], [3], 2, /takes away master key 2:/],
  [[1], [2], 2, /^sweptMasterKey is 2, but master key 1 is the newest that was deployed, so no sweep can/],
  [[1], [2, 1], 2, /^sweptMasterKey is 2, but/],
  [[2], [2, 1], 2, /^masterKeys is \[2, 1\], but master key 1 was taken away.* gets the number 3$/],
  [[2], [3, 2, 1], 0, /but master key 1 was taken away/],
  [[3], [4, 3, 2], 3, /but master key 2 was taken away/],
])(
  'judges the change of master keys from %j to %j, swept %i: %s',
  (live, masterKeys, sweptMasterKey, refusal) => {
    const before = typeof live === 'string' ? BEFORE[live] : { last: { masterKeys: live }, isDeployed: true }
    const check = () => checkMasterKeys({ masterKeys, sweptMasterKey }, before)
    if (refusal === null) expect(check).not.toThrow()
    else expect(check).toThrow(refusal)
  },
)

test('reads the layout of the Worker, and refuses one older than that of the last good run', () => {
  const root = `${import.meta.dirname}/../../..`
  expect(readLayout(root)).toBe(LAYOUT)
  expect(() => parseLayout('export const LAYOUT = six')).toThrow(/^layout\.ts has no line/)
  for (const last of [undefined, {}, { layout: LAYOUT }, { layout: LAYOUT - 1 }]) checkLayout(last, LAYOUT)
  expect(() => checkLayout({ layout: 8 }, 7)).toThrow(
    /^this version stores spaces in layout 7, and the last one that served this stack in layout 8, /,
  )
})
