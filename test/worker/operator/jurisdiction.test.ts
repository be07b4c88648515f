import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { spaceOf } from '../../../worker/src/http/exchange/exchange.ts'

test('[SP2] derives the object of a space from its jurisdiction too', () => {
  // The local runtime has no jurisdictions, so the test records what the Worker requests.
  const asked: string[] = []
  const restricted: Env['CHRONICLE'] = Object.create(env.CHRONICLE, {
    jurisdiction: {
      value(name: string) {
        asked.push(name)
        return { getByName: (space: string) => `${name}/${space}` }
      },
    },
  })
  expect(spaceOf({ ...env, CHRONICLE: restricted, JURISDICTION: 'eu' }, { space: 'ann' })).toBe('eu/ann')
  expect(asked).toEqual(['eu'])
  expect(spaceOf(env, { space: 'ann' }).name).toBe('ann')
  expect(asked).toEqual(['eu'])
})
