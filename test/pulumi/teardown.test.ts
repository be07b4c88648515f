import { expect } from 'vitest'
import { HOSTNAME } from '../support/cloud/project.ts'
import { newStack, pulumiTest, ZONE } from './stack.ts'

pulumiTest('refuses to destroy a protected stack, and changes nothing of it', async () => {
  const stack = await newStack('prod')
  await stack.set('hostname', HOSTNAME.hostname)
  const up = await stack.up()
  expect(up.code, up.printed).toBe(0)
  const destroy = await stack.destroy()
  expect(destroy.code).not.toBe(0)
  expect(destroy.printed).toContain('is protected')
  expect(stack.writes()).toEqual([])
})

pulumiTest('destroys a temporary stack with its objects, and leaves nothing behind', async () => {
  const stack = await newStack()
  await stack.set('hostname', HOSTNAME.hostname)
  await stack.set('route', 'api.example.com/api/*')
  await stack.set('routeRecord', 'true')
  await stack.set('zoneId', ZONE.id)
  const up = await stack.up()
  expect(up.code, up.printed).toBe(0)
  const destroy = await stack.destroy()
  expect(destroy.code, destroy.printed).toBe(0)
  expect(stack.standIn.account).toEqual({
    namespaces: [],
    scripts: [],
    domains: [],
    routes: [],
    records: [],
    zones: [ZONE],
  })
})
