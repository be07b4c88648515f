import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { type Device, device, mint, type Reply, send, twoDevices } from '../../support/worker/client.ts'
import { newVault, type Vault } from '../../support/worker/vault.ts'

const T = Date.now() - 60_000
/** Time of the second edit, where the first was made at 5 ms. */
const TIMES = { earlier: T + 1, later: T + 9 }

/** The collections are named after their policies. */
const POLICIES = ['lww', 'server-wins', 'client-wins', 'manual', 'merge']

beforeAll(async () => {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const policies = Object.fromEntries(POLICIES.map((policy) => [policy, policy]))
  const wanted = { revision: body.revision, policies }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })).status).toBe(200)
})

async function write(by: Device, change: object): Promise<Reply['body']> {
  return (await by.sync({ changes: [{ timestamp: T, ...change }] })).body
}

/** Everything that a space shows of its values. */
async function valuesOf(reader: Device, keys: readonly string[]): Promise<readonly unknown[]> {
  const pages = [await reader.get('/api/changes'), await reader.get('/api/conflicts?limit=100')]
  for (const key of keys)
    pages.push(await reader.get(`/api/history?key=${key}`), await reader.get(`/api/entries?key=${key}`))
  const values: unknown[] = []
  JSON.stringify(
    pages.map(({ body }) => body),
    (name, value) => {
      if (name === 'value') values.push(value)
      return value
    },
  )
  return values
}

/** A device's copy of a space, still sealed. */
interface Copy {
  readonly by: Device
  readonly values: Map<string, unknown>
  cursor: string | null
}

async function pull(copy: Copy): Promise<void> {
  const { body } = await copy.by.sync({ changes: [], cursor: copy.cursor })
  for (const { key, value } of body.changes) copy.values.set(key, value)
  expect(body.more).toBe(false)
  copy.cursor = body.cursor
}

/** Opens the whole copy of a device, as it shows it to its user. */
async function screenOf({ values }: Copy, vault: Vault): Promise<ReadonlyMap<string, unknown>> {
  const opened = Array.from(values, async ([key, text]) => [key, await vault.open(key, text)] as const)
  return new Map(await Promise.all(opened))
}

/** Opens the copy of a device that joins later. */
async function everything(by: Device, vault: Vault): Promise<ReadonlyMap<string, unknown>> {
  const copy = { by, values: new Map(), cursor: null }
  await pull(copy)
  return screenOf(copy, vault)
}

test.each([
  ['lww', 'later', 'applied'],
  ['lww', 'earlier', 'superseded'],
  ['server-wins', 'later', 'superseded'],
  ['client-wins', 'earlier', 'applied'],
  ['manual', 'later', 'conflict'],
  ['merge', 'later', 'applied'],
  ['merge', 'earlier', 'superseded'],
] as const)(
  '[EE1] resolves values that it cannot read under %s, the %s as %s, and leaves each whole',
  async (policy, time, status) => {
    const vault = await newVault()
    const [a, b] = await twoDevices()
    const key = await vault.nameOf(policy, 'shopping')
    const put = async (by: Device, list: object, change: object) =>
      write(by, { key, value: await vault.seal(key, list), ...change })
    const [before, mine, theirs] = [{ list: [] }, { list: ['tea'], by: 'a' }, { list: ['oats'], to: 'b' }]
    const base = (await put(a, before, { base: null })).results[0].version
    await put(a, mine, { base, timestamp: T + 5 })
    const { results, conflicts } = await put(b, theirs, { base, timestamp: TIMES[time] })

    expect(results).toMatchObject([{ key, status }])
    expect(conflicts).toMatchObject([{ key, policy: policy === 'merge' ? 'lww' : policy }])
    const [{ winner, loser }] = conflicts
    const [stands, lost] = status === 'applied' ? [theirs, mine] : [mine, theirs]
    expect(await vault.open(key, winner.value)).toEqual(stands)
    expect(await vault.open(key, loser.value)).toEqual(lost)
    for (const reader of [a, b]) {
      expect(await everything(reader, vault)).toEqual(new Map([[key, stands]]))
      const values = await valuesOf(reader, [key])
      expect(values.length).toBeGreaterThanOrEqual(6)
      expect(values.filter((value) => !vault.sealed.has(value))).toEqual([])
    }
  },
)

test('[EE1] lets a device that can read both sides decide an open conflict', async () => {
  const vault = await newVault()
  const [a, b] = await twoDevices()
  const key = await vault.nameOf('manual', 'shopping')
  const { results } = await write(a, { key, value: await vault.seal(key, ['tea']), base: null })
  const { conflicts } = await write(b, { key, value: await vault.seal(key, ['oats']), base: null })
  const [{ id, winner, loser }] = conflicts
  const both = [await vault.open(key, winner.value), await vault.open(key, loser.value)].flat()
  const body = { choice: 'value', value: await vault.seal(key, both), base: results[0].version }
  const resolved = await send('POST', `/api/conflicts/${id}/resolve`, { body, bearer: b.session })
  expect(resolved.status).toBe(200)
  expect(await everything(a, vault)).toEqual(new Map([[key, ['tea', 'oats']]]))
})

test('[EE1] brings devices that edited sealed entries under every policy to the same entries', async () => {
  const vault = await newVault()
  const { token } = await mint()
  const copies = await Promise.all(
    ['a', 'b', 'c'].map(async (clientId): Promise<Copy> => {
      return { by: await device({ token, clientId }), values: new Map(), cursor: null }
    }),
  )
  const titles = POLICIES.flatMap((policy) => [0, 1, 2, 3].map((n) => [policy, `note ${n}`] as const))
  const keys = await Promise.all(titles.map(([policy, title]) => vault.nameOf(policy, title)))
  let bases: readonly (string | null)[] = keys.map(() => null)
  async function editAll({ by }: Copy, round: number): Promise<Reply['body']> {
    const edit = async (key: string, index: number) => ({
      key,
      value: await vault.seal(key, { round, index }),
      timestamp: T + ((index * 7 + round * 5) % 11),
      base: bases[index],
    })
    return (await by.sync({ changes: await Promise.all(keys.map(edit)) })).body
  }

  const [first] = copies as [Copy]
  const { results } = await editAll(first, 0)
  bases = results.map(({ version }: { version: string }) => version)
  await Promise.all(copies.map(pull))
  for (const [index, copy] of copies.entries()) expect((await editAll(copy, index + 1)).success).toBe(true)
  await Promise.all(copies.map(pull))
  const late = await everything(first.by, vault)
  expect([...late.keys()].toSorted()).toEqual(keys.toSorted())
  for (const copy of copies) expect(await screenOf(copy, vault)).toEqual(late)
  const rounds = new Set(Array.from(late.values(), (value) => (value as { round: number }).round))
  expect(rounds).toEqual(new Set([1, 2, 3]))
  const values = await valuesOf(first.by, keys)
  expect(values.filter((value) => !vault.sealed.has(value))).toEqual([])
})

test('[EE1] recognizes a retry that sends the same sealed text', async () => {
  const vault = await newVault()
  const [a] = await twoDevices()
  const key = await vault.nameOf('lww', 'shopping')
  const [once, twice] = [await vault.seal(key, ['tea']), await vault.seal(key, ['tea'])]
  const batch = (value: string) => ({ batch: 1, changes: [{ key, value, timestamp: T, base: null }] })
  await a.sync(batch(once))
  expect((await a.sync(batch(once))).body).toMatchObject({ replayed: true, results: [{ status: 'applied' }] })
  expect((await a.sync(batch(twice))).body).toMatchObject({ code: 'batch-mismatch' })
})

test('[EE1] merges fields that are sealed one by one like any others', async () => {
  const vault = await newVault()
  const [a, b] = await twoDevices()
  const key = await vault.nameOf('merge', 'shopping')
  const [title, list, done] = await Promise.all(
    ['list', ['tea'], true].map((field) => vault.seal(key, field)),
  )
  const base = (await write(a, { key, value: { title, list }, base: null })).results[0].version
  const renamed = await vault.seal(key, 'a better title')
  await write(a, { key, value: { title: renamed, list }, base, timestamp: T + 5 })
  const { results, conflicts } = await write(b, {
    key,
    value: { title, list, done },
    base,
    timestamp: TIMES.earlier,
  })
  expect(results).toMatchObject([{ status: 'merged', value: { title: renamed, list, done } }])
  expect(conflicts).toEqual([])
})
