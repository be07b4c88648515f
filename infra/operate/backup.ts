// `npm run backup -- URL FOLDER`: every space that a token names, a file each: its export, which clients see now,
// without history and conflicts.
import { createWriteStream, mkdirSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { StartError } from '../local/start-error.ts'
import { runTool, twoArguments } from './command-line.ts'
import { readService } from './service-option.ts'
import { listSpaces, openSpace, type Service } from './space-access.ts'

const USAGE = 'npm run backup -- URL FOLDER'

/** Longer than the last line of an export. */
const END_BYTES = 1024

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
  try {
    const { body } = await access.send('GET /api/export')
    if (body === null) throw new StartError(`${space}: the export is empty`)
    await pipeline(body, createWriteStream(`${file}.part`, { mode: 0o600 }))
    const count = await entriesIn(`${file}.part`)
    renameSync(`${file}.part`, file)
    return count
  } finally {
    await access.close()
  }
}

/** As the last line counts them. */
async function entriesIn(file: string): Promise<number> {
  const written = await open(file)
  try {
    const { size } = await written.stat()
    const { buffer, bytesRead } = await written.read({ position: Math.max(0, size - END_BYTES) })
    const last = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? ''
    if (!last.startsWith('{"type":"end"')) throw new StartError(`${file} broke off: run it again`)
    return JSON.parse(last).entries
  } finally {
    await written.close()
  }
}

runTool(main)
