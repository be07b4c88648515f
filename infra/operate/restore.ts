// `npm run restore -- URL FILE`: fills an empty space from a backup. Run again after a failure, it goes on.
import { StartError } from '../local/start-error.ts'
import { type Entry, readBackup } from './backup-file.ts'
import { runTool, twoArguments } from './command-line.ts'
import { readService } from './service-option.ts'
import { openSpace, Refusal, type SpaceAccess } from './space-access.ts'

const USAGE = 'npm run restore -- URL FILE'

/** Well below what a request may carry: 500 changes and 1 MiB. */
const BATCH = 200
const BATCH_CHARS = 256 * 1024

async function main(): Promise<void> {
  const [url, file] = twoArguments(USAGE)
  const service = readService(url, USAGE)
  const { id, space, entries } = await readBackup(file)
  // The same file makes the same client with the same batches: what was stored is not stored twice.
  const clientId = `restore-${id}`
  const access = await openSpace(service, space, clientId)
  try {
    await checkEmpty(access, space, clientId)
    console.log(`${space}: ${await push(access, entries)} entries`)
  } finally {
    await access.close()
  }
}

/** Whether the space holds nothing but what an earlier run of this restore wrote. */
async function checkEmpty(access: SpaceAccess, space: string, clientId: string): Promise<void> {
  const { changes } = await access.call('GET /api/changes?limit=1')
  if (changes.length === 0 || changes[0].by === clientId) return
  throw new StartError(`the space "${space}" is not empty: erase it first with DELETE /api/space`)
}

async function push(access: SpaceAccess, entries: AsyncIterable<Entry>): Promise<number> {
  let [batch, count] = [0, 0]
  for await (const changes of batchesOf(entries)) {
    batch += 1
    count += changes.length
    await pushBatch(access, batch, changes)
  }
  return count
}

async function pushBatch(access: SpaceAccess, batch: number, changes: readonly Entry[]): Promise<void> {
  try {
    const { success, results } = await access.call('POST /api/sync', { batch, changes })
    if (!success) throw new StartError(`batch ${batch} was not taken whole: ${JSON.stringify(results)}`)
  } catch (error) {
    // An earlier run of this restore got further.
    if (!(error instanceof Refusal && error.code === 'batch-too-old')) throw error
  }
}

async function* batchesOf(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  let [batch, chars]: [Entry[], number] = [[], 0]
  for await (const entry of entries) {
    const length = JSON.stringify(entry).length
    if (batch.length > 0 && (batch.length === BATCH || chars + length > BATCH_CHARS)) {
      yield batch
      ;[batch, chars] = [[], 0]
    }
    batch.push(entry)
    chars += length
  }
  if (batch.length > 0) yield batch
}

runTool(main)
