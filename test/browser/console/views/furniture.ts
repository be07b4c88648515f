import { allowMuch, mintToken } from '../../../support/cloud/cloud.ts'
import { LiveDevice } from '../../../support/devices/live-device.ts'
import type { OfflineDevice } from '../../../support/devices/offline-device.ts'
import type { Console } from '../with-console.ts'

/** A space whose name, keys and values are as long as some are. */
export const SPACE = 'anna.katharina.mustermann-schneider@example.com'

export const LONG_KEY = 'photos/a-key-of-one-word-that-nobody-breaks-'.padEnd(120, 'x')

/** Version of an app, as long as it may be. */
export const LONG_VERSION = 'notes-2.14.3-build.20261129.'.padEnd(64, 'a1b2')

/** Key with an open conflict. */
const AGREEMENT = 'agreements/rent-of-the-flat-in-the-street-with-the-very-long-name-2026'

const AGREED = { rent: 400, heating: 50, people: ['Anna', 'Bob'], notes: 'From May on.' }

/** Devices of the space that the views show. */
export interface Furniture {
  readonly phone: OfflineDevice
  readonly laptop: OfflineDevice
  readonly tablet: LiveDevice
}

/** Fills the service with spaces, devices, tokens, conflicts and histories. */
export async function furnish(console: Console): Promise<Furniture> {
  await allowMuch(console.cloud, { agreements: 'manual', tasks: 'merge' })
  const [phone, laptop] = [await console.device(SPACE, 'phone'), await console.device(SPACE, 'laptop')]
  await writeNotes(phone)
  await laptop.sync()
  await disagree(phone, laptop)
  laptop.delete('notes/2026/0002')
  await laptop.sync()
  laptop.put('notes/2026/0002', { title: 'Note 2, written again' })
  await laptop.sync()
  const tablet = new LiveDevice('tablet-of-grandma', console.cloud.url)
  await tablet.start(await mintToken(console.cloud, SPACE, { subject: 'grandma', space: SPACE }))
  await watch(console)
  const expiresAt = Date.now() + 9e9
  await mintToken(console.cloud, 'metrics', { name: 'Prometheus', scopes: ['metrics:read'], expiresAt })
  for (const name of ['bob', 'eve']) {
    const watch = await console.device(name, 'watch')
    watch.put('notes/1', { title: 'milk' })
    await watch.sync()
  }
  await console.reported(SPACE, 'bob', 'eve')
  return { phone, laptop, tablet }
}

/** Reads the space once, with an app whose version is long. */
async function watch({ cloud }: Console): Promise<void> {
  const opened = await fetch(`${cloud.url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      token: await mintToken(cloud, SPACE),
      clientId: 'watch',
      clientVersion: LONG_VERSION,
    }),
  })
  const { session } = (await opened.json()) as { session: string }
  const headers = { authorization: `Bearer ${session}` }
  await fetch(`${cloud.url}/api/changes`, { headers })
}

async function writeNotes(phone: OfflineDevice): Promise<void> {
  for (let at = 0; at < 12; at += 1)
    phone.put(`notes/2026/${String(at).padStart(4, '0')}`, {
      title: `Note ${at}`,
      text: 'milk, '.repeat(at * 3),
    })
  const url = 'https://example.com/'.padEnd(300, 'y')
  phone.put(LONG_KEY, { url })
  // A page that took this for HTML would report it, which the diary holds against the page.
  phone.put('notes/<img src=x onerror=report(1)>', { title: '<script>report(2)</script>' })
  phone.put(AGREEMENT, AGREED, Date.now() - 9_000)
  phone.put('agreements/garden', { hours: 2 }, Date.now() - 9_000)
  await phone.sync()
}

/** Changes the same agreements on both devices. One change is a deletion. */
async function disagree(phone: OfflineDevice, laptop: OfflineDevice): Promise<void> {
  const changed = { ...AGREED, rent: 410, people: ['Anna', 'Bob', 'Eve'], notes: 'From May on, says Bob.' }
  laptop.put(AGREEMENT, changed, Date.now() - 8_000)
  laptop.put('agreements/garden', { hours: 3 }, Date.now() - 8_000)
  laptop.put('notes/2026/0001', { title: 'Note 1, edited', done: true })
  await laptop.sync()
  phone.put(AGREEMENT, { ...AGREED, rent: 430, heating: 60 }, Date.now() - 7_000)
  phone.delete('agreements/garden', Date.now() - 7_000)
  await phone.sync()
}
