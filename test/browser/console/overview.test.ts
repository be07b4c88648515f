import { expect } from 'vitest'
import { allowMuch } from '../../support/cloud/cloud.ts'
import { until } from '../../support/until.ts'
import { testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

testInConsole('moves its figures and plots while devices write, without a reload', async () => {
  const operator = await console.operator()
  await operator.page.run('globalThis.isSamePage = true')
  await operator.sees('No space has written anything')
  await operator.sees(/Spaces\s+0/, await operator.find('region', 'Totals'))
  const phone = await console.device('moving', 'phone')
  for (let at = 0; at < 7; at += 1) phone.put(`notes/${at}`, { title: `note ${at}` })
  await phone.sync()
  await operator.find('image', 'Changes: 7 more, 7 in all')
  const totals = await operator.find('region', 'Totals')
  await operator.sees(/Spaces\s+1\s+Entries\s+7\s+Devices\s+1\s+Open conflicts\s+0/, totals)
  await operator.find('image', 'Conflicts: 0 more, 0 in all')
  await operator.find('image', /^Storage: [\d.]+ KiB/)
  await operator.sees('Nothing needs attention')
  expect(await operator.page.run('globalThis.isSamePage')).toBe(true)
})

testInConsole('says that the page is of another version than the service', async () => {
  const operator = await console.operator('tokens')
  const { version } = console.cloud.stackOutputs
  const age = 'document.querySelector("meta[name=version]").content = "0.0.1+old"'
  await operator.page.run(age)
  await operator.click('link', 'Overview')
  await operator.sees(`The service runs version ${version}, this page is of version 0.0.1+old.`)
})

testInConsole(
  'lists spaces by name, size and age, and finds them by the beginning of their names',
  async () => {
    for (const [at, name] of ['zebra', 'apple', 'apricot'].entries()) {
      const device = await console.device(name, 'phone')
      for (let id = 0; id < 10 * at + 1; id += 1) device.put(`notes/${id}`, { text: 'x'.repeat(10_000) })
      await device.sync()
      await console.reported(name)
    }
    const operator = await console.operator()
    await operator.click('link', 'Spaces')
    const orderOf = async () => {
      const rows = await operator.page.run(
        `[...document.querySelectorAll('tbody th')].map((th) => th.innerText)`,
      )
      return (rows as string[]).filter((name) => name !== 'moving')
    }
    const shows = async (...names: string[]) => {
      await operator.find('row', new RegExp(`^${names[0]}`))
      await expect.poll(orderOf, { timeout: 30_000 }).toEqual(names)
    }
    await shows('apple', 'apricot', 'zebra')
    await operator.click('link', 'Largest first')
    await shows('apricot', 'apple', 'zebra')
    await operator.click('link', 'Longest without a sync first')
    await shows('zebra', 'apple', 'apricot')
    await operator.fill('Name begins with', 'ap')
    await shows('apple', 'apricot')
    await operator.fill('Name begins with', 'nobody')
    await operator.sees('No space begins with “nobody”')
    await operator.fill('Name begins with', '')
    await shows('apple', 'apricot', 'zebra')

    const row = await operator.find('row', /^apricot/)
    await operator.sees(/21 of 1,000,000/, row)
    await operator.click('link', 'apricot', row)
    await operator.find('heading', /^apricot/)
    // The browser's own button leads back.
    await operator.page.run('history.back()')
    await shows('apple', 'apricot', 'zebra')
  },
)

testInConsole('leads from the open conflicts to the spaces that have the most of them', async () => {
  await allowMuch(console.cloud, { agreements: 'manual' })
  const openIn = async (name: string) => {
    const { spaces } = await console.ask<{ spaces: { openConflicts: number }[] }>(
      `/api/spaces?prefix=${name}`,
    )
    return spaces[0]?.openConflicts
  }
  for (const [name, count] of [
    ['few', 1],
    ['many', 2],
  ] as const) {
    const [phone, laptop] = [await console.device(name, 'phone'), await console.device(name, 'laptop')]
    for (const [device, rent] of [
      [phone, 410],
      [laptop, 430],
    ] as const) {
      for (let id = 0; id < count; id += 1) device.put(`agreements/${id}`, { rent })
      await device.sync()
    }
    // A space that has reported before its conflicts reports again ten seconds later.
    await until(async () => (await openIn(name)) === count, 30_000)
  }
  const operator = await console.operator()
  await operator.click('link', 'Open conflicts: 3.')
  await operator.find('heading', 'Spaces')
  const first = () => operator.page.run(`document.querySelector('tbody th').innerText`)
  await expect.poll(first, { timeout: 10_000 }).toBe('many')
  const chosen = await operator.find('link', 'Most open conflicts first')
  expect(await operator.on(chosen, 'return this.ariaCurrent')).toBe('true')
})
