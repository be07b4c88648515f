import { expect } from 'vitest'
import type { Control } from '../../support/browser/controls.ts'
import { mintToken } from '../../support/cloud/cloud.ts'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

/** The status of an attempt to open a session. */
async function authenticate(token: string): Promise<number> {
  const response = await fetch(`${console.cloud.url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, clientId: 'phone' }),
  })
  return response.status
}

/** Opens the form of a token, and fills its fields by their labels. */
async function fillForm(operator: Operator, texts: Readonly<Record<string, string>>): Promise<Control> {
  await operator.click('button', 'Mint a token')
  const form = await operator.find('dialog', 'Mint a token')
  for (const [label, text] of Object.entries(texts)) await operator.fill(label, text, form)
  return form
}

/** Reads the token that the page shows, and closes it: no later page has it. */
async function takeToken(operator: Operator): Promise<string> {
  const dialog = await operator.find('dialog', 'The new token')
  await operator.sees('no later page shows it', dialog)
  const [token = ''] = /chr_dev_\S+/.exec(await operator.read(dialog)) ?? []
  await operator.click('button', 'Close', dialog)
  await operator.find('row', /Ann's phone/)
  expect(await operator.page.run('document.documentElement.outerHTML')).not.toContain(token)
  expect(await operator.page.run('JSON.stringify(sessionStorage)')).not.toContain(token)
  return token
}

testInConsole('mints a token and shows it once, rotates it with an overlap, and revokes it', async () => {
  const operator = await console.operator('tokens')
  const texts = { Subject: 'ann', Space: 'family', Name: "Ann's phone", Collections: 'notes, photos' }
  const form = await fillForm(operator, texts)
  await operator.click('checkbox', 'sync:write', form)
  await operator.click('button', 'Mint', form)
  const first = await takeToken(operator)
  expect(await authenticate(first)).toBe(200)
  await operator.sees(/ann.*family.*sync:read in notes, photos/s, await operator.find('row', /Ann's phone/))

  await operator.click('button', "Rotate Ann's phone of ann")
  await operator.choose('The old token', 'It ends in an hour')
  await operator.choose('The old token', 'It ends at once')
  await operator.click('button', 'Rotate', await operator.find('dialog', 'Rotate the token'))
  const second = await takeToken(operator)
  expect(second).not.toBe(first)
  expect([await authenticate(first), await authenticate(second)]).toEqual([401, 200])

  await operator.click('button', "Revoke Ann's phone of ann")
  const dialog = await operator.find('dialog', 'Revoke the token')
  await operator.sees(/sessions\s+end at once/, dialog)
  await operator.click('button', 'Back', dialog)
  expect(await authenticate(second)).toBe(200)
  await operator.click('button', "Revoke Ann's phone of ann")
  await operator.click('button', 'Revoke', await operator.find('dialog', 'Revoke the token'))
  await operator.sees('The token is revoked')
  expect(await authenticate(second)).toBe(401)
  await operator.click('button', 'Mint a token')
  await operator.press('Escape')

  const acts = (await console.records()).map(({ act, status }) => `${act} ${status}`)
  expect(acts.slice(0, 3)).toEqual([
    'DELETE /api/tokens/{id} 200',
    'POST /api/tokens/{id}/rotate 201',
    'POST /api/tokens 201',
  ])
})

testInConsole('says at the field what is wrong with a token, in the words of the service', async () => {
  const operator = await console.operator('tokens')
  const form = await fillForm(operator, { Subject: 'ann', Collections: 'a/b' })
  await operator.press('Enter')
  const wanted = { subject: 'ann', scopes: ['sync:read'], collections: ['a/b'] }
  const refusal = await console
    .ask('/api/tokens', { method: 'POST', body: JSON.stringify(wanted) })
    .catch(String)
  const [, words = ''] = /"collections\[0\]: ([^"]+)"/.exec(String(refusal)) ?? []
  expect(words.length).toBeGreaterThan(10)
  await operator.find('alert', `collections[0]: ${words}`, form)
  const input = await operator.find('textbox', 'Collections', form)
  expect(input.states['invalid']).toBe('true')
  await operator.fill('Collections', 'notes', form)
  for (const scope of ['sync:read', 'sync:write']) await operator.click('checkbox', scope, form)
  await operator.click('button', 'Mint', form)
  await operator.find('alert', 'Choose at least one.', form)
  await operator.click('checkbox', 'sync:read', form)
  const expires = `document.querySelector('[type=datetime-local]')`
  const type = (time: string) =>
    operator.page.run(`${expires}.value = '${time}'; ${expires}.dispatchEvent(new Event('input'))`)
  await type('2020-02-02T02:02')
  await operator.click('button', 'Mint', form)
  await operator.find('alert', 'This time is in the past.', form)
  await type('2090-02-02T02:02')
  await operator.click('button', 'Mint', form)
  await operator.find('dialog', 'The new token')
})

testInConsole('shows in the audit who minted what, page by page', async () => {
  for (let at = 0; at < 3; at += 1) await mintToken(console.cloud, `many-${at}`)
  const operator = await console.operator('audit')
  await operator.find('row', /POST \/api\/tokens 201 .*space many-2/)
  await operator.click('button', 'Read again')
  await operator.click('link', 'many-2', await operator.find('row', /space many-2/))
  await operator.find('alert', /No space of this name has reported/)
})
