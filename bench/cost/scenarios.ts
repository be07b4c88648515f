import { type Amounts, amountsOf, billOf, sum, times } from './bill.ts'
import { RARELY_USED } from './build.ts'
import { closeAll, confirmed, usersOf } from './load.ts'
import { bytesOf } from './measure.ts'
import { STORED_GB_MONTH } from './prices.ts'
import { type CountedService, serveCounted } from './service.ts'

/** A use of the service in daily life, and its price. */
export interface Scenario {
  readonly name: string
  readonly dollars: number
  /** How the price comes about. */
  readonly how: string
}

const USERS = 10
const HOURS = 8
/** A session lasts an hour, and so does a socket. */
const SESSIONS_AN_HOUR = 1
const EDIT_EVERY_SECONDS = 2
const PULL_EVERY_SECONDS = 10
const DAYS_A_MONTH = 30
const BYTES_A_GB = 1_000_000_000

/** Edits that are really made: each user makes as many, and the counts are scaled to the day. */
const SAMPLE_ROUNDS = 25
const SAMPLE_ENTRIES = 1000

/** Counts what people do in a day. Each use has a space of its own. */
export async function countDailyUse(service: CountedService): Promise<readonly Scenario[]> {
  const opening = await countOpening(service)
  const typed = await countTyping(service, 'socket')
  const polled = await countTyping(service, 'HTTP')
  const bytes = await bytesOfEntries(service)
  const openings = times(opening, USERS * HOURS * SESSIONS_AN_HOUR)
  const edits = (USERS * HOURS * 3600) / EDIT_EVERY_SECONDS
  const pushes = (USERS * HOURS * 3600) / PULL_EVERY_SECONDS
  const day = sum(openings, times(typed, edits))
  const polledDay = sum(openings, times(polled, pushes))
  const month = times(opening, 24 * SESSIONS_AN_HOUR * DAYS_A_MONTH)
  return [
    {
      name: 'an idle space, a month',
      dollars: (bytes / BYTES_A_GB) * STORED_GB_MONTH,
      how: `${SAMPLE_ENTRIES.toLocaleString('en')} entries of 250 bytes are ${kilobytes(bytes)} at rest, and nothing runs`,
    },
    {
      name: 'a gigabyte at rest, a month',
      dollars: STORED_GB_MONTH,
      how: `about ${Math.round(((BYTES_A_GB / bytes) * SAMPLE_ENTRIES) / 1000).toLocaleString('en')},000 such entries`,
    },
    {
      name: 'an open socket on which nothing happens, a month',
      dollars: billOf(month).total,
      how: `a client that renews its session and socket each hour (each time: ${amountsText(opening)}): the object hibernates, and answers to pings are free`,
    },
    {
      name: `a day of ${USERS} typing users, on sockets`,
      dollars: billOf(day).total,
      how: `${HOURS} hours, one edit each ${EDIT_EVERY_SECONDS} s, ${edits.toLocaleString('en')} batches of one, which the other nine follow (each edit: ${amountsText(typed)})`,
    },
    {
      name: `the same day over HTTP`,
      dollars: billOf(polledDay).total,
      how: `one push with a cursor each ${PULL_EVERY_SECONDS} s, which sends the latest text and pulls those of the others (each of ${pushes.toLocaleString('en')} pushes: ${amountsText(polled)})`,
    },
  ]
}

/** Counts a device that only looks for changes, once a minute, in a space where nobody else is. */
export async function countRarePulls(): Promise<Scenario> {
  await using service = await serveCounted([RARELY_USED])
  const token = await service.mint()
  const { session } = await service.post('/api/auth', '', { token })
  const { cursor } = await service.get('/api/changes', String(session))
  await service.take()
  for (let made = 0; made < SAMPLE_ROUNDS; made++)
    await service.get(`/api/changes?cursor=${cursor}`, String(session))
  const pull = times(amountsOf(await service.take()), 1 / SAMPLE_ROUNDS)
  return {
    name: 'a device that pulls once a minute, a month',
    dollars: billOf(times(pull, 24 * 60 * DAYS_A_MONTH)).total,
    how: `43,200 pulls that find nothing, in an isolate that did nothing else for half a minute (each: ${amountsText(pull)})`,
  }
}

/** Opens a session and a socket with it, in a space that is in use. */
async function countOpening(service: CountedService): Promise<Amounts> {
  const token = await service.mint()
  const first = await usersOf(service, { count: 1, transport: 'socket', token })
  await service.take()
  const { devices } = await usersOf(service, { count: USERS, transport: 'socket', token })
  const counted = await service.take()
  await closeAll([...first.devices, ...devices])
  return times(amountsOf(counted), 1 / USERS)
}

/** Lets each user edit a text of its own, one after the other, as edits of ten people seldom coincide. */
async function countTyping(service: CountedService, transport: 'socket' | 'HTTP'): Promise<Amounts> {
  const { devices, bases } = await usersOf(service, {
    count: USERS,
    transport,
    pulls: true,
    token: await service.mint(),
  })
  const round = async () => {
    for (const [index, device] of devices.entries()) {
      await device.push([`texts/${index}`])
      await confirmed(devices, bases, `texts/${index}`)
    }
  }
  await round()
  await service.take()
  for (let made = 0; made < SAMPLE_ROUNDS; made++) await round()
  const counted = await service.take()
  await closeAll(devices)
  return times(amountsOf(counted), 1 / (SAMPLE_ROUNDS * USERS))
}

/** The size of a space with some entries. */
async function bytesOfEntries(service: CountedService): Promise<number> {
  const token = await service.mint()
  const { devices } = await usersOf(service, { count: 1, transport: 'HTTP', token })
  const keys = Array.from({ length: SAMPLE_ENTRIES }, (_, index) => `notes/${index}`)
  for (let from = 0; from < SAMPLE_ENTRIES; from += 100) await devices[0]?.push(keys.slice(from, from + 100))
  return bytesOf(service, token)
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`
}

/** The main amounts, such as `rows written 3, log lines 1`. */
function amountsText({ workerRequests, objectRequests, rowsWritten, kvReads, logLines }: Amounts): string {
  const named = {
    'Worker requests': workerRequests,
    'object requests': objectRequests,
    'rows written': rowsWritten,
    'KV reads': kvReads,
    'log lines': logLines,
  }
  return Object.entries(named)
    .map(([name, value]) => [name, Number(value.toFixed(2))] as const)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
