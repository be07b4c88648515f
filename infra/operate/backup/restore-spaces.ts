import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { UserError } from '../../cli/user-error.ts'
import { bodyOf } from '../service/api-client.ts'
import type { Service } from '../service/persist.ts'
import { inSpace, type SpaceAccess } from '../service/space-access.ts'
import { EXTENSION, entriesIn, linesOf, spaceOf } from './export-file.ts'
import { beginRun, FolderError } from './run-record.ts'

/** Far below 100 MB, the limit for bodies on the platform's smaller plans. A part that fails is sent again whole. */
const PART_CHARS = 8 * 1024 * 1024

/** Consecutive lines of a file. */
interface Part {
  /** The number of the first line, from 1. */
  readonly first: number
  readonly lines: readonly string[]
}

interface Imported {
  readonly line: number
  readonly entries: number
  readonly finished: boolean
  /** Absent if the service is an older release. */
  readonly edited?: boolean
}

/** Restores the space of one file, or the spaces of all files in a folder. A folder continues an unfinished run. */
export async function restoreSpaces(service: Service, path: string, again: boolean): Promise<void> {
  if (!isFolder(path)) return console.log(await restoreFile(service, path))
  const run = beginRun(path, 'restore', { api: service.api, again, clock: service.clock })
  const files = readdirSync(path).filter((name) => name.endsWith(EXTENSION))
  const failed: string[] = []
  for (const [index, name] of files.entries()) {
    if (run.done.has(name)) continue
    try {
      console.log(`${index + 1} of ${files.length}  ${await restoreFile(service, join(path, name))}`)
      run.note(name)
    } catch (cause) {
      if (!(cause instanceof UserError) || cause instanceof FolderError) throw cause
      console.error(`${index + 1} of ${files.length}  ${cause.message}`)
      failed.push(cause.message)
    }
  }
  console.log(`${files.length - failed.length} of ${files.length} files of ${path} are restored`)
  for (const reason of failed) console.error(`Not restored: ${reason}`)
  if (failed.length > 0) throw new UserError('not everything is restored: see above')
  run.end()
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Restores one file and returns a line about the result. Rejects with a line that names the space. */
async function restoreFile(service: Service, file: string): Promise<string> {
  const space = await spaceOf(file)
  if ((await entriesIn(file)) === undefined) {
    throw new UserError(
      `${space}: ${basename(file)} is incomplete, it has no end. Nothing was sent. Back it up again`,
    )
  }
  const done = inSpace(service, { space, clientId: 'restore' }, (access) => restore(access, file))
  return done.then(
    (line) => `${space}: ${line}`,
    (cause: unknown) => {
      throw cause instanceof UserError ? new UserError(`${space}: ${cause.message}`) : cause
    },
  )
}

async function restore(access: SpaceAccess, file: string): Promise<string> {
  if (!(await isFree(access))) return describeFull(await send(access, await firstPart(file, 1)))
  let reply: Imported = { line: 0, entries: 0, finished: false }
  for await (const part of partsOf(file, PART_CHARS)) {
    if (part.first + part.lines.length - 1 > reply.line) reply = await send(access, part)
  }
  if (!reply.finished) throw new UserError(`${basename(file)} ends at line ${reply.line} without an end`)
  return `${reply.entries} entries`
}

/** Whether the space is empty, or an import into it is in progress. */
async function isFree(access: SpaceAccess): Promise<boolean> {
  const request = 'GET /api/status'
  const reply = await access.ask(request)
  if (reply.body?.code === 'importing') return true
  return bodyOf(request, reply).lastSync === null
}

/** Describes a space that was filled from this very file before, so that sending the file again changes nothing. */
function describeFull({ entries, finished, edited }: Imported): string {
  if (finished && edited === false) return `${entries} entries are already there, as in this file`
  throw new UserError(
    'the space is not empty: it was filled from this file before and has changed since. Nothing was restored. To restore the file, erase the space first (DELETE /api/space)',
  )
}

async function send(access: SpaceAccess, { first, lines }: Part): Promise<Imported> {
  const response = await access.send(`POST /api/import?line=${first}`, `${lines.join('\n')}\n`)
  return (await response.json()) as Imported
}

async function firstPart(file: string, chars: number): Promise<Part> {
  for await (const part of partsOf(file, chars)) return part
  throw new UserError(`${file} is empty`)
}

async function* partsOf(file: string, chars: number): AsyncGenerator<Part> {
  let [first, lines, length]: [number, string[], number] = [1, [], 0]
  for await (const line of linesOf(file)) {
    lines.push(line)
    length += line.length
    if (length < chars) continue
    yield { first, lines }
    ;[first, lines, length] = [first + lines.length, [], 0]
  }
  if (lines.length > 0) yield { first, lines }
}
