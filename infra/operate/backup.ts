// `npm run backup -- URL FOLDER`: every space that a token names, a file each. What clients see now: entries with
// their times, without history, conflicts and authors.
import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { BACKUP_FORMAT, type Entry } from './backup-file.ts'
import { runTool, twoArguments } from './command-line.ts'
import { readService } from './service-option.ts'
import { listSpaces, openSpace, type Service, type SpaceAccess } from './space-access.ts'

const USAGE = 'npm run backup -- URL FOLDER'

async function main(): Promise<void> {
  const [url, folder] = twoArguments(USAGE)
  const service = readService(url, USAGE)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const spaces = await listSpaces(service)
  for (const space of spaces) {
    const file = join(folder, `${encodeURIComponent(space)}.ndjson`)
    console.log(`${file}: ${await backUp(service, space, file)} entries`)
  }
  console.log(`${spaces.length} spaces`)
}

/** Writes a space's file, under its name only once it is whole. */
async function backUp(service: Service, space: string, file: string): Promise<number> {
  const access = await openSpace(service, space, 'backup')
  const output = await open(`${file}.part`, 'w', 0o600)
  try {
    await output.write(`${JSON.stringify({ format: BACKUP_FORMAT, id: randomUUID(), space })}\n`)
    const count = await copyEntries(access, output)
    renameSync(`${file}.part`, file)
    return count
  } finally {
    await output.close()
    await access.close()
  }
}

/** A page at a time: the last one ends in a consistent snapshot. A later version of a key follows the earlier. */
async function copyEntries(access: SpaceAccess, output: FileHandle): Promise<number> {
  const keys = new Set<string>()
  for (let cursor = '', more = true; more; ) {
    const page = await access.call(`GET /api/changes${cursor && `?cursor=${encodeURIComponent(cursor)}`}`)
    for (const { key, value, deleted, timestamp } of page.changes) {
      const entry: Entry = deleted ? { key, deleted, timestamp } : { key, value, timestamp }
      await output.write(`${JSON.stringify(entry)}\n`)
      if (deleted) keys.delete(key)
      else keys.add(key)
    }
    cursor = page.cursor
    more = page.more
  }
  return keys.size
}

runTool(main)
