import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, onTestFinished } from 'vitest'
import { mintToken } from '../../support/cloud/cloud.ts'
import { LiveDevice } from '../../support/devices/live-device.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

const AUDIENCE = 'https://sync.example/api'

/** Lets the service trust an identity provider of this machine. Returns its issuer, and a token of the subject ann. */
async function trustProvider(): Promise<{ issuer: string; token: string }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: '1' }] })
  const server = createServer((_request, response) => response.end(keys)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const trusted = {
    issuer,
    audiences: [AUDIENCE],
    jwksUrl: `${issuer}/jwks`,
    scopes: ['sync:read', 'sync:write'],
  }
  const config = await console.ask<object>('/api/config')
  const body = JSON.stringify({ ...config, identityProviders: [{ ...trusted, algorithms: ['ES256'] }] })
  await console.ask('/api/config', { method: 'PUT', body })
  const claims = new SignJWT().setProtectedHeader({ alg: 'ES256', kid: '1' }).setIssuer(issuer)
  const token = claims.setAudience(AUDIENCE).setSubject('ann').setIssuedAt().setExpirationTime('10m')
  return { issuer, token: await token.sign(privateKey) }
}

testInConsole('lists devices with what each has written and read, and who follows', async () => {
  const phone = await console.device('family', 'phone')
  for (let at = 0; at < 3; at += 1) phone.put(`notes/${at}`, { title: `note ${at}` })
  await phone.sync(1)
  const tablet = new LiveDevice('tablet', console.cloud.url)
  await tablet.start(await mintToken(console.cloud, 'family', { subject: 'grandma', space: 'family' }))
  const token = await mintToken(console.cloud, 'family')
  await fetch(`${console.cloud.url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, clientId: 'watch', clientVersion: 'watch 2.1' }),
  })
  await console.reported('family')
  const operator = await console.operator('space/family')
  await operator.click('link', 'Devices')
  const followed = await operator.find('row', /^tablet follows on a socket grandma /)
  await operator.sees('up to date', followed)
  await operator.sees(/number 3/, await operator.find('row', /^phone has no socket open family /))
  tablet.stop()
  await operator.click('link', 'Entries')
  await operator.click('link', 'Devices')
  await operator.find('row', /^tablet has no socket open grandma /)
})

testInConsole('ends the sessions of a subject of an identity provider', async () => {
  const { issuer, token } = await trustProvider()
  const space = `${issuer}#sub=ann`
  const phone = new OfflineDevice('phone', console.cloud.url)
  await phone.open(token)
  phone.put('notes/1', { title: 'milk' })
  await phone.sync()
  await console.reported(space)

  const operator = await console.operator('spaces')
  await operator.click('link', space)
  await operator.click('link', 'Devices')
  await operator.click('button', `End the sessions of ${space}`)
  const dialog = await operator.find('dialog', 'End the sessions')
  await operator.click('button', 'Back', dialog)
  await phone.sync()
  await operator.click('button', `End the sessions of ${space}`)
  await operator.click('button', 'End the sessions', await operator.find('dialog', 'End the sessions'))
  await operator.sees('The sessions have ended.')
  await expect(phone.sync()).rejects.toThrow('401')
  const [latest] = (await console.records()).filter(({ act }) => act === 'DELETE /api/sessions')
  expect(latest).toMatchObject({ status: 200, target: { space } })
})

testInConsole('shows what two devices write, as it happens, and the conflict between them', async () => {
  const [phone, laptop] = [await console.device('team', 'phone'), await console.device('team', 'laptop')]
  phone.put('notes/1', { title: 'milk' })
  await phone.sync()
  await laptop.sync()
  await console.reported('team')
  const operator = await console.operator('space/team')
  await operator.page.run('globalThis.isSamePage = true')
  await operator.find('status', 'Live')
  await operator.sees('Nothing was written since you came here')

  phone.put('notes/2', { title: 'eggs' })
  await phone.sync()
  await operator.find('row', /notes\/2 phone written$/)
  laptop.put('notes/3', { title: 'tea' })
  laptop.delete('notes/1')
  await laptop.sync()
  await operator.find('row', /notes\/3 laptop written$/)
  await operator.find('row', /notes\/1 laptop deleted$/)
  await operator.sees('3 writes')
  await operator.sees(/Floor\s+\w+\.0\s+Epoch\s+\w+\s+Last upkeep\s+never/)

  // Both have edited the same note without having seen the other's edit.
  laptop.put('notes/2', { title: 'eggs, brown' }, Date.now() + 1_000)
  await laptop.sync()
  phone.put('notes/2', { title: 'eggs, white' }, Date.now() - 1_000)
  await phone.sync()
  await operator.find('row', /notes\/2 phone lost to laptop$/)
  await operator.click('button', 'Pause')
  laptop.put('notes/4', { title: 'soap' })
  await laptop.sync()
  await operator.sees('6 writes')
  expect(await operator.count('row', /notes\/4/)).toBe(0)
  await operator.find('status', 'Paused')
  await operator.click('button', 'Go on')
  await operator.find('status', 'Live')
  await operator.find('row', /notes\/4 laptop written$/)
  expect(await operator.page.run('globalThis.isSamePage')).toBe(true)
})

testInConsole('says that it is live only once it misses no conflict, on a slow line too', async () => {
  const [phone, laptop] = [await console.device('slow', 'phone'), await console.device('slow', 'laptop')]
  const clash = async (note: string) => {
    laptop.put(note, { title: 'eggs, brown' }, Date.now() + 1_000)
    await laptop.sync()
    phone.put(note, { title: 'eggs, white' }, Date.now() - 1_000)
    await phone.sync()
  }
  for (const note of ['notes/1', 'notes/2', 'notes/3']) await clash(note)
  await console.reported('slow')
  const operator = await console.operator()
  const line = { offline: false, latency: 150, downloadThroughput: -1, uploadThroughput: -1 }
  await operator.page.call('Network.emulateNetworkConditions', line)
  await operator.visit('space/slow')
  await operator.find('status', 'Live')
  await clash('notes/4')
  await operator.find('row', /notes\/4 laptop (written|won over phone)$/)
  await operator.find('row', /notes\/4 phone lost to laptop$/)
  expect(await operator.count('row', /notes\/[123]/)).toBe(0)
})

testInConsole('shows a space as its user sees it, without acts', async () => {
  await console.noteIn('ann')
  const operator = await console.operator('space/ann/entries')
  await operator.click('link', 'See as a user')
  await operator.sees('You see ann as its user does')
  expect(await operator.count('navigation', 'Console')).toBe(0)
  await operator.click('link', 'Entries')
  await operator.click('link', 'notes/1')
  await operator.find('heading', 'History of notes/1')
  expect(await operator.count('button', /Restore|Erase|Export|End/)).toBe(0)
  expect(await operator.count('link', 'Export, import, erase')).toBe(0)
  await operator.visit('user/ann/transfer')
  await operator.sees('The address names no page of the console')
  await operator.page.run('history.back()')
  await operator.click('link', 'Leave')
  await operator.find('navigation', 'Console')

  // The session could not write either, and its opening is in the audit.
  const [opening] = (await console.records()).filter(({ act }) => act === 'POST /api/sessions')
  expect(opening?.target).toEqual({ space: 'ann', scopes: ['sync:read', 'space:read'] })
  const { credential = '' } = operator.diary.asked.find(({ url }) => url.includes('/api/entries')) ?? {}
  const written = await fetch(`${console.cloud.url}/api/sync`, {
    method: 'POST',
    headers: { authorization: credential, 'content-type': 'application/json' },
    body: JSON.stringify({ cursor: null, changes: [{ key: 'a', value: 1, timestamp: Date.now() }] }),
  })
  expect(written.status).toBe(403)
})

testInConsole('knows no page by a name that every object has', async () => {
  await console.noteIn('odd')
  const operator = await console.operator('space/odd')
  for (const path of ['constructor', 'toString', 'space/odd/constructor', 'user/odd/__proto__']) {
    await operator.visit(path)
    await operator.sees('The address names no page of the console')
  }
  await operator.visit('tokens')
  await operator.find('heading', 'Tokens')
})

testInConsole('says that a space does not exist, and why that may be', async () => {
  const operator = await console.operator('space/nobody')
  const alert = await operator.find('alert', /^/)
  await operator.sees(/it may be mistyped, erased, or never written to/, alert)
  expect(await operator.read(alert)).not.toContain('GET /api/')
  expect(await operator.count('navigation', 'The space')).toBe(0)
  expect(await operator.count('link', 'See as a user')).toBe(0)
  await operator.visit('spaces')
  await operator.find('heading', 'Spaces')
})
