import { expect, test } from 'vitest'
import { newState, stateInTerm } from '../../../client/src/replica/state.ts'
import { codeOf } from '../../../client/src/values/errors.ts'

const found = (state: ReturnType<typeof newState>) => ({ state, entries: new Map(), edits: [], outcomes: [] })

test('a leader that slept while its user logged out has no term in the store of the next user', () => {
  const before = newState('ann', 1_000)
  const led = { ...before, term: before.term + 1 }
  const after = newState('ben', 2_000, 2_000)
  const leads = { ...after, term: after.term + 1 }
  expect(stateInTerm(found(leads), leads.term)).toBe(leads)
  let code = ''
  try {
    stateInTerm(found(leads), led.term)
  } catch (thrown) {
    code = codeOf(thrown)
  }
  expect(code).toBe('deposed')
})
