import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { spaceOf } from '../../worker/src/http/exchange/exchange.ts'

test('[SP2] a jurisdiction is part of where a space lies', () => {
  // The runtime on this machine has none, so what the Worker asks it for is recorded.
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
