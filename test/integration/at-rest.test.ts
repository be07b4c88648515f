import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { fetchDocumented } from '../support/documented.ts'

const CANARY = 'canary-at-rest-4711'

const cloud = withCloud()

/** Lists every file under a folder, such as databases and their journals. */
function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
}

async function post(path: string, body: object, bearer?: string): Promise<Record<string, unknown>> {
  const response = await fetchDocumented(`${cloud.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
    body: JSON.stringify(body),
  })
  return (await response.json()) as Record<string, unknown>
}

test('[SC10] stores no value in the clear in any file, on any write path', async () => {
  const token = await mintToken(cloud, 'at-rest')
  const sessions: string[] = []
  for (const clientId of ['a', 'b'])
    sessions.push(String((await post('/api/auth', { token, clientId })).session))
  for (let round = 1; round <= 20; round++) {
    const changes = Array.from({ length: 50 }, (_, index) => ({
      key: `k/${index}`,
      ...(index === round && { deleted: true }),
      value: { [`field-${CANARY}`]: `${CANARY}-${round}`, nested: [`${CANARY}-${index}`], other: round % 7 },
      baseValue: `${CANARY}-assumed`,
      timestamp: Date.now() - 1_000 + round,
    }))
    for (const session of sessions) {
      const reply = await post('/api/sync', { batch: round, changes, cursor: null }, session)
      expect(JSON.stringify(reply)).toContain(CANARY)
    }
  }
  await post('/api/sync', { changes: [{ key: 'plain', value: 'x', timestamp: 1 }] }, sessions[0])
  await cloud.running.stop()
  const files = filesUnder(join(cloud.folder, 'dev', 'data'))
  const contents = files.map((file) => readFileSync(file))
  const bytes = contents.reduce((sum, { length }) => sum + length, 0)
  const spellings = [CANARY, CANARY.toUpperCase(), Buffer.from(CANARY).toString('hex')]
  const wide = Buffer.from(CANARY, 'utf16le')
  for (const [index, content] of contents.entries()) {
    for (const spelling of [...spellings, wide, Buffer.from(CANARY).toString('base64').slice(0, 20)]) {
      expect(content.includes(spelling), files[index]).toBe(false)
    }
    for (const secret of [token, ...sessions]) expect(content.includes(secret), files[index]).toBe(false)
  }
  expect(files.some((file) => file.endsWith('.sqlite'))).toBe(true)
  expect(bytes).toBeGreaterThan(200_000)
  console.info(
    `SC10: 2,000 changes, ${files.length} files, ${bytes} bytes: no value, token or session in them`,
  )
})
