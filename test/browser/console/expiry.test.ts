import { expect } from 'vitest'
import { newProject } from '../../support/cloud/project.ts'
import { testInConsole, withConsole } from './with-console.ts'

/** How long the service lets an operator's session live here, in place of a quarter of an hour. */
const SESSION_SECONDS = 3

const project = newProject()
project.edit('worker/src/core/values/access-limits.ts', (text) =>
  text.replace(/(?<=OPERATOR_SESSION_SECONDS = ).*/, String(SESSION_SECONDS)),
)
const console = withConsole(project)

testInConsole(
  'follows and reads a space for longer than a session lives, without another sign-in',
  async () => {
    const phone = await console.device('long', 'phone')
    const write = async (key: string) => {
      phone.put(key, { title: key })
      await phone.sync()
    }
    await write('notes/0')
    await console.reported('long')
    const operator = await console.operator('space/long')
    await operator.find('status', 'Live')
    const { asked } = operator.diary
    const openings = () =>
      asked.filter(({ method, url }) => method === 'POST' && url.endsWith('/api/sessions'))
    for (let life = 1; life <= 3; life += 1) {
      await write(`notes/${life}`)
      await operator.find('row', new RegExp(`notes/${life} phone written$`))
      await expect.poll(() => openings().length, { timeout: 30_000 }).toBeGreaterThan(life)
    }
    await operator.click('link', 'Entries')
    await operator.find('link', 'notes/3')
    expect(await operator.count('alert')).toBe(0)
  },
)
