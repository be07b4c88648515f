import { expect } from 'vitest'
import { until } from '../../support/until.ts'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

const keptBy = ({ page }: Operator) => page.run('Object.values(sessionStorage)')

/** The credentials that a page has sent so far to a path. */
const credentialsFor = ({ diary }: Operator, path: string) => [
  ...new Set(diary.asked.filter(({ url }) => url.includes(path)).map(({ credential }) => credential)),
]

/** Sends a request with a credential that a page has used. */
async function statusWith(authorization: string, method: string, path: string): Promise<number> {
  return (await fetch(console.cloud.url + path, { method, headers: { authorization } })).status
}

testInConsole(
  'signs in with the link of `npm start` once, and takes the code out of the address',
  async () => {
    const link = console.cloud.consoleUrl?.replace(console.cloud.url, '') ?? ''
    const code = link.split('code=')[1] ?? ''
    expect(code).toHaveLength(32)
    const first = await console.open(link)
    await first.find('heading', 'Overview')
    expect(await first.page.run('[location.hash, history.length]')).toEqual(['#/', 2])
    expect(await keptBy(first)).toEqual([console.cloud.outputs.adminToken])
    await first.page.call('Page.reload')
    await first.find('heading', 'Overview')

    const second = await console.open(link)
    await second.sees(/works once.*Run npm start again, or sign in with the admin token/)
    expect(await keptBy(second)).toEqual([])
    await second.enter('two words')
    await second.find('alert', /^This is not an admin token/)
    expect(await second.read()).not.toContain('works once')
    for (const { diary } of [first, second]) {
      expect(diary.asked.filter(({ url }) => url.includes(code))).toEqual([])
      expect(diary.addresses.filter((address) => address.includes(code))).toEqual([console.cloud.consoleUrl])
    }
    expect(console.tested.logged().filter((line) => line.includes(code))).toEqual([])
    await second.enter()
    await second.find('heading', 'Overview')
  },
)

testInConsole('refuses a wrong admin token in words, and keeps nothing of it', async () => {
  const operator = await console.open()
  const wrong = `${console.cloud.outputs.adminToken.slice(0, -4)}0000`
  for (const token of [wrong, 'x'.repeat(5_000)]) {
    await operator.enter(token)
    await operator.sees(/admin token \(the output adminToken\)/, await operator.find('alert', /^/))
    expect(await keptBy(operator)).toEqual([])
    await operator.page.call('Page.reload')
  }
  await operator.enter()
  await operator.find('heading', 'Overview')
})

testInConsole('says that a text is no admin token, and sends it nowhere', async () => {
  const operator = await console.open()
  for (const text of ['ключ', 'abc\u200b', 'two words', `Bearer ${console.cloud.outputs.adminToken}`]) {
    await operator.enter(text)
    const alert = await operator.find('alert', /^This is not an admin token/)
    await operator.sees('the output adminToken of the stack has it', alert)
    expect(await keptBy(operator)).toEqual([])
    await operator.page.call('Page.reload')
    await operator.find('heading', 'Sign in to the console')
  }
  expect(operator.diary.asked.filter(({ url }) => url.includes('/api/'))).toEqual([])
})

testInConsole('takes a link of `npm start` in a tab that is open already', async () => {
  await console.restart({})
  const { consoleUrl = '', outputs } = console.cloud
  const operator = await console.open()
  await operator.find('heading', 'Sign in to the console')
  await operator.page.run('globalThis.isSamePage = true')
  await operator.page.run(`location.hash = ${JSON.stringify(new URL(consoleUrl).hash)}`)
  await operator.find('heading', 'Overview')
  expect(await operator.page.run('[location.hash, isSamePage]')).toEqual(['#/', true])
  expect(await keptBy(operator)).toEqual([outputs.adminToken])
  await operator.page.run(`location.hash = '#code=wrong'`)
  await operator.page.run('new Promise(requestAnimationFrame)')
  expect(await operator.page.run('location.hash')).toBe('#/')
})

testInConsole('says of a broken link that its code was not accepted', async () => {
  const operator = await console.open('/console/#code=%')
  await operator.sees('The one-time code was not accepted')
})

testInConsole('forgets the admin token at a sign-out, and ends the sessions in spaces', async () => {
  await console.noteIn('leaving')
  const operator = await console.operator('space/leaving/entries')
  await operator.find('link', 'notes/1')
  const [session = ''] = credentialsFor(operator, '/api/entries')
  expect(await statusWith(session, 'GET', '/api/status')).toBe(200)

  await operator.click('button', 'Sign out')
  await operator.find('heading', 'Sign in to the console')
  expect(await keptBy(operator)).toEqual([])
  expect(await operator.read()).not.toContain('notes/1')
  await until(async () => (await statusWith(session, 'GET', '/api/status')) === 401)
  await operator.page.call('Page.reload')
  await operator.find('heading', 'Sign in to the console')
  await operator.enter()
  await operator.find('link', 'notes/1')
})

testInConsole('opens another session if one was revoked, without a word to the operator', async () => {
  await console.noteIn('revoked')
  const operator = await console.operator('space/revoked')
  await operator.sees('Nothing was written since you came here')
  const [session = ''] = credentialsFor(operator, '/api/status')
  expect(await statusWith(session, 'DELETE', '/api/auth')).toBe(200)
  await operator.click('link', 'Entries')
  await operator.find('link', 'notes/1')
  const openings = operator.diary.asked.filter(({ url }) => url.endsWith('/api/sessions'))
  expect(openings.map(({ status }) => status)).toEqual([200, 200])
  expect(await operator.count('alert')).toBe(0)
})

testInConsole(
  'asks for the admin token again once it is replaced, and leads back to the same page',
  async () => {
    const operator = await console.operator('spaces?order=size')
    await operator.find('heading', 'Spaces')
    const before = console.cloud.outputs.adminToken
    await console.restart({ adminTokens: '[2]' })
    expect(console.cloud.outputs.adminToken).not.toBe(before)
    await operator.click('link', 'By name')
    await operator.find('heading', 'Sign in to the console')
    await operator.sees('no longer accepts this admin token')
    expect(await keptBy(operator)).toEqual([])
    await operator.enter(before)
    await operator.find('alert', /^/)
    await operator.enter()
    await operator.find('heading', 'Spaces')
    expect(await operator.page.run('location.hash')).toBe('#/spaces?order=name')
    expect(await keptBy(operator)).toEqual([console.cloud.outputs.adminToken])
  },
)
