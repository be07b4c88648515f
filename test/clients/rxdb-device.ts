import {
  createRxDatabase,
  type RxCollection,
  type RxConflictHandler,
  type RxDatabase,
  randomToken,
} from 'rxdb'
import type { RxReplicationState } from 'rxdb/plugins/replication'
import { type HumanDocumentType, schemaObjects, schemas } from 'rxdb/plugins/test-utils'
import { inject, onTestFinished } from 'vitest'
import {
  type Checkpoint,
  type ChronicleReplicationOptions,
  openService,
  type Rejected,
  replicateChronicle,
  type Service,
} from '../../client/src/rxdb.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { Network, request } from './network.ts'
import { memory } from './rxdb-storage.ts'

export type Human = HumanDocumentType
export type Replication = RxReplicationState<Human, Checkpoint>

export interface Settings extends Partial<Omit<ChronicleReplicationOptions<Human>, 'name'>> {
  /** Database name. Databases of one name act as tabs of one browser. */
  readonly database?: string
  /** The collection of the space: the policy of `human` is `server-wins`. */
  readonly name?: string
  readonly conflictHandler?: RxConflictHandler<Human>
}

export type Device = Awaited<ReturnType<typeof device>>

/** Opens a space as a new device. */
export async function openAt(space: string) {
  const network = new Network()
  const local = inject('service')
  const service = openService({
    url: local.url,
    token: () => mintToken(local, space),
    platform: network.platform({ sockets: true }),
  })
  return { network, service }
}

/** RxDB's schema, with a name of any length. */
const schema = {
  ...schemas.human,
  properties: { ...schemas.human.properties, lastName: { type: 'string' as const } },
}

export async function humans({ database: name = randomToken(10), conflictHandler }: Settings = {}) {
  const database = await createRxDatabase({
    ...{ name, storage: memory, multiInstance: true, ignoreDuplicate: true },
  })
  onTestFinished(async () => void (await close(database)))
  const made = await database.addCollections({
    human: { schema, ...(conflictHandler && { conflictHandler }) },
  })
  return made.human as unknown as RxCollection<Human>
}

/** Makes a collection that follows a space, and collects its errors. */
export async function device(space: string, settings: Settings = {}) {
  const { database: _, conflictHandler: __, name = 'human', ...options } = settings
  const collection = await humans(settings)
  const { network, service } = await openAt(space)
  const errors: unknown[] = []
  const rejected: Rejected<Human>[] = []
  const replication = replicateChronicle<Human>({
    ...{ service, collection, name, waitForLeadership: false, retryTime: 100 },
    onRejected: (rejection) => rejected.push(rejection),
    ...options,
  })
  replication.error$.subscribe((error) => errors.push(error))
  return { collection, errors, network, rejected, replication, service }
}

export async function close(database: RxDatabase): Promise<void> {
  if (!database.closed) await database.close()
}

export async function agesOf(
  collection: RxCollection<Human>,
): Promise<Readonly<Record<string, number | undefined>>> {
  const found = await collection.find().exec()
  return Object.fromEntries(found.map(({ passportId, age }) => [passportId, age]))
}

export function human(passportId: string, age: number): Human {
  return schemaObjects.humanData(passportId, age)
}

export async function setAge({ collection }: Device, passportId: string, age: number): Promise<void> {
  await (await collection.findOne(passportId).exec(true)).incrementalPatch({ age })
}

export async function remove({ collection }: Device, passportId: string): Promise<void> {
  await (await collection.findOne(passportId).exec(true)).remove()
}

export async function inSync(...replications: readonly Replication[]): Promise<void> {
  for (const replication of [...replications, ...replications]) {
    replication.reSync()
    await replication.awaitInSync()
  }
}

export async function countOf(service: Service): Promise<number> {
  return ((await service.request('/api/status')) as { entries: number }).entries
}

/** Erases a space, as its administrator does. Earlier tokens are refused then, so devices need new ones. */
export async function eraseSpace(space: string): Promise<void> {
  const service = inject('service')
  const { url } = service
  const token = await mintToken(service, space, { scopes: ['space:admin'] })
  const credentials = { token, clientId: crypto.randomUUID() }
  const { session } = await request<{ session: string }>(`${url}/api/auth`, undefined, credentials)
  await request(`${url}/api/space`, session, { confirm: space }, 'DELETE')
}
