import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { StartError } from '../local/start-error.ts'

/** In the first line of a file; the others are an entry each. */
export const BACKUP_FORMAT = 'chronicle-sync-backup/1'

const Header = z.object({ format: z.literal(BACKUP_FORMAT), id: z.uuid(), space: z.string() })
const Entry = z.union([
  z.strictObject({ key: z.string(), value: z.json(), timestamp: z.int() }),
  z.strictObject({ key: z.string(), deleted: z.literal(true), timestamp: z.int() }),
])

/** As the feed had it, in its order; a deletion where the space remembers one. */
export type Entry = z.infer<typeof Entry>

export interface Backup {
  /** Of this file and no other. */
  readonly id: string
  readonly space: string
  readonly entries: AsyncIterable<Entry>
}

/** Reads a backup line by line. A file of another kind is a StartError that names the line. */
export async function readBackup(file: string): Promise<Backup> {
  const lines = createInterface(createReadStream(file))[Symbol.asyncIterator]()
  const first = await lines.next().catch((cause: Error) => {
    throw new StartError(`${file} cannot be read: ${cause.message}`)
  })
  const { id, space } = parse(Header, first.value ?? '', `${file}:1`)
  return { id, space, entries: entriesOf(file, lines) }
}

async function* entriesOf(file: string, lines: AsyncIterator<string>): AsyncGenerator<Entry> {
  for (let number = 2; ; number++) {
    const { value, done } = await lines.next()
    if (done) return
    yield parse(Entry, value, `${file}:${number}`)
  }
}

function parse<T>(schema: z.ZodType<T>, line: string, place: string): T {
  try {
    return schema.parse(JSON.parse(line))
  } catch {
    throw new StartError(`${place} is no line of a backup (${BACKUP_FORMAT})`)
  }
}
