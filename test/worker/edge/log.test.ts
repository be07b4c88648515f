import { expect, test } from 'vitest'
import { device } from '../../support/worker/client.ts'

// Every test file has the witness without an import, so it is imported late here.
test('[SC8] checks every log line of every test file, nested values included', async () => {
  await device()
  const { overhear, witnessed } = await import('../../support/setup/witness.ts')
  const { lines, leaks } = witnessed()
  // Minting the token is an act of the operator, with a line of its own.
  expect(lines).toBe(3)
  expect(leaks).toEqual([])
  const cause = new Error('a cause', { cause: { with: { much: ['inside'] } } })
  const [line] = await overhear(async () => console.warn('it', { of: new Headers({ a: 'header' }) }, cause))
  for (const part of ['it', 'header', 'a cause', 'inside']) expect(line).toContain(part)
})
