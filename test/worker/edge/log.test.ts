import { expect, test } from 'vitest'
import { device } from '../../support/worker/client.ts'

// A test file that does not ask for the witness has it all the same, so it is imported late.
test('[SC8] all that the Worker logs is read in every test file, with what is inside', async () => {
  await device()
  const { overhear, witnessed } = await import('../../support/setup/witness.ts')
  const { lines, leaks } = witnessed()
  // The token was minted by the operator: that is an act.
  expect(lines).toBe(3)
  expect(leaks).toEqual([])
  const cause = new Error('a cause', { cause: { with: { much: ['inside'] } } })
  const [line] = await overhear(async () => console.warn('it', { of: new Headers({ a: 'header' }) }, cause))
  for (const part of ['it', 'header', 'a cause', 'inside']) expect(line).toContain(part)
})
