import { expect, test } from 'vitest'
import { mint } from '../../support/worker/client.ts'
import { open, trusted } from '../../support/worker/trust.ts'

test('[AU8] names the subject and the space of an API token, also if they differ', async () => {
  const ann = await open((await mint({ subject: 'ann' })).token)
  expect(ann.body).toMatchObject({ subject: 'ann', space: 'ann' })
  const again = await open((await mint({ subject: 'ann', space: 'acme' })).token)
  expect(again.body).toMatchObject({ subject: 'ann', space: 'acme' })
  const bob = await open((await mint({ subject: 'bob', space: 'acme' })).token)
  expect(bob.body).toMatchObject({ subject: 'bob', space: 'acme' })
})

test('[AU8] names the subject of an identity provider with its issuer, the same for each of its tokens', async () => {
  const provider = await trusted({ spaceClaim: 'org_id' })
  const { issuer } = provider.entry
  const space = `${issuer}#org_id=acme`
  for (const sub of ['ann', 'ann', 'bob']) {
    const { body } = await open(await provider.token({ sub, org_id: 'acme' }))
    expect(body).toMatchObject({ subject: `${issuer}#sub=${sub}`, space })
  }
})
