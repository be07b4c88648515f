import { createWriteStream, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../../cli/user-error.ts'
import { bodyOf, NoAnswer } from '../service/api-client.ts'
import { askService, type Service } from '../service/persist.ts'
import { inSpace, listNamedSpaces, type SpaceAccess } from '../service/space-access.ts'
import { EXTENSION, entriesIn, fileNameOf, spaceOf } from './export-file.ts'
import { beginRun, FolderError, type RunRecord, writing } from './run-record.ts'

export interface BackUpOptions {
  readonly folder: string
  readonly again: boolean
  /** Lists the ids of all objects that hold data. Rejects with one line if the list is not available. */
  readonly listObjects: () => Promise<readonly string[]>
}

/** The result of a back-up so far. */
interface Progress {
  saved: number
  /** Spaces that an earlier part of the run has saved. */
  kept: number
  readonly failed: string[]
  /** Reasons why the back-up may not be complete. */
  readonly missing: string[]
}

/** The client id of the tool in every space. */
const CLIENT = 'backup'

/** How often a space is tried. A deployment cuts the connection of an export in progress. */
const ATTEMPTS = 2

/**
 * Writes a file for every space and prints a line about each. A space that cannot be read does not stop the others.
 * Rejects at the end if anything is missing.
 */
export async function backUpSpaces(service: Service, options: BackUpOptions): Promise<void> {
  const { folder, again } = options
  const run = beginRun(folder, 'back-up', { api: service.api, again, clock: service.clock })
  // Lists objects before tokens, so that every listed object with a token has it in the list of tokens.
  const objects = await options.listObjects().catch(asReason)
  const named = await listNamedSpaces(service)
  const progress: Progress = { saved: 0, kept: 0, failed: [], missing: [] }
  for (const [index, space] of [...named.keys()].entries()) {
    const position = `${index + 1} of ${named.size}`
    if (await isKept(run, folder, space)) progress.kept += 1
    else
      await attempt(progress, { space, position }, () =>
        inSpace(service, { space, clientId: CLIENT }, (access) =>
          backUp(access, { folder, run, space, position }),
        ),
      )
  }
  await backUpUnnamed(service, { ...options, run, named, objects, progress })
  // Leaves the run unfinished after a failure, so that the next run retries what failed and keeps the rest.
  if (progress.failed.length === 0) run.end()
  reportOlderFiles(folder, run)
  report(progress, folder)
}

interface SpaceBackup {
  readonly folder: string
  readonly run: RunRecord
  readonly space: string
  /** The position of the space in the run, for its line. */
  readonly position: string
}

async function isKept(run: RunRecord, folder: string, space: string): Promise<boolean> {
  return run.done.has(space) && (await entriesIn(join(folder, fileNameOf(space)))) !== undefined
}

/** Writes the file of a space. The file gets its name only when it is complete. */
async function backUp(access: SpaceAccess, { folder, run, space, position }: SpaceBackup): Promise<void> {
  const file = join(folder, fileNameOf(space))
  const part = `${file}.part`
  for (let attempt = 1; ; attempt++) {
    const broken = await save(access, part, folder)
    const entries = await entriesIn(part)
    if (entries !== undefined) {
      writing(folder, () => renameSync(part, file))
      run.note(space)
      return console.log(`${position}  ${file}: ${entries} entries`)
    }
    rmSync(part, { force: true })
    if (attempt === ATTEMPTS) {
      throw new UserError(
        `its export ends early${broken && ` (${broken})`}: something in it cannot be read, see the Worker's log`,
      )
    }
  }
}

/** Saves an export. Returns why it ended early, if known. An error of the folder is thrown, because it is not the space's. */
async function save(access: SpaceAccess, part: string, folder: string): Promise<string> {
  let refused: Error | undefined
  try {
    const { body } = await access.send('GET /api/export')
    const target = createWriteStream(part, { mode: 0o600 })
    target.once('error', (cause) => {
      refused = 'syscall' in cause ? cause : undefined
    })
    await pipeline(body ?? [], target)
    return ''
  } catch (cause) {
    if (refused !== undefined) throw new FolderError(folder, refused)
    const isBroken = cause instanceof Error && cause.name !== 'AbortError'
    if (!isBroken || (cause instanceof UserError && !(cause instanceof NoAnswer))) throw cause
    return cause.message
  }
}

/** Works on one space. A failure is recorded, and the next space follows. */
async function attempt(
  progress: Progress,
  { space, position }: Pick<SpaceBackup, 'space' | 'position'>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
    progress.saved += 1
  } catch (cause) {
    if (!(cause instanceof UserError) || cause instanceof FolderError) throw cause
    const line = `${space}: ${cause.message}`
    console.error(`${position}  ${line}`)
    progress.failed.push(line)
  }
}

interface RunState extends BackUpOptions {
  readonly run: RunRecord
  readonly named: ReadonlyMap<string, string | undefined>
  /** The ids of all objects, or the reason why they cannot be listed. */
  readonly objects: readonly string[] | string
  readonly progress: Progress
}

/** Looks for spaces that no token names. Backs up those whose names the folder knows, and reports the others. */
async function backUpUnnamed(service: Service, state: RunState): Promise<void> {
  const { named, objects, progress } = state
  if (objects.length === 0 && named.size === 0) {
    progress.missing.push(
      `nothing was found: no token names a space, and no object of the stack holds data. Check that ${service.api} is the right service, and that --stack names its stack`,
    )
    return
  }
  const unnamed = await findUnnamed(service, state)
  if (typeof unnamed === 'string') {
    progress.missing.push(`other spaces may hold data, which is not known: ${unnamed}`)
    return
  }
  if (named.size === 0 && unnamed.size === 0)
    console.log('No token names a space, and no object of the stack holds entries')
  await backUpRemembered(service, state, unnamed)
  if (unnamed.size > 0) progress.missing.push(describeUnnamed(unnamed))
}

/** The objects that hold entries and that no token names, as in `holdingEntries`; or the reason why they are not known. */
async function findUnnamed(
  service: Service,
  state: RunState,
): Promise<Map<string, number | undefined> | string> {
  const { named, objects } = state
  if (typeof objects === 'string') return objects
  const ids = new Set(named.values())
  if (ids.has(undefined)) return 'the service is an older release'
  const absent = await missingFrom(objects, state)
  if (absent !== undefined)
    return `${absent} holds entries but is not among the listed objects, which belong to another stack. Name the right one with --stack`
  const others = objects.filter((id) => !ids.has(id))
  return holdingEntries(service, others).catch(
    (cause) =>
      `${asReason(cause)}. If the listed objects belong to another stack, name the right one with --stack`,
  )
}

/** A space that was saved with entries but has no object in the list. The list is then of another stack. */
async function missingFrom(objects: readonly string[], state: RunState): Promise<string | undefined> {
  if ((await firstUnlisted(objects, state)) === undefined) return undefined
  // Lists again, because a space may have been written to for the first time during the back-up.
  const listedNow = await state.listObjects().catch(asReason)
  return firstUnlisted(typeof listedNow === 'string' ? objects : listedNow, state)
}

async function firstUnlisted(
  objects: readonly string[],
  { folder, run, named }: RunState,
): Promise<string | undefined> {
  const listed = new Set<string | undefined>(objects)
  for (const [space, id] of named) {
    if (listed.has(id) || !run.done.has(space)) continue
    if (await entriesIn(join(folder, fileNameOf(space)))) return space
  }
  return undefined
}

/** The limit of ids in one request (docs/spec.md, KR6). */
const IDS_AT_ONCE = 100

/** The objects that hold entries, with their number, or undefined if unknown. Filters out erased objects, which are still listed. */
async function holdingEntries(
  service: Service,
  ids: readonly string[],
): Promise<Map<string, number | undefined>> {
  const holding = new Map<string, number | undefined>()
  for (let first = 0; first < ids.length; first += IDS_AT_ONCE) {
    const request = 'POST /api/spaces/reseal'
    const body = { spaces: ids.slice(first, first + IDS_AT_ONCE) }
    const reply = bodyOf(request, await askService(service, request, { bearer: service.adminToken, body }))
    for (const { id, entries } of reply.spaces) if (entries !== 0) holding.set(id, entries)
  }
  return holding
}

/** Tries the names in files of earlier back-ups, as long as there are unnamed objects. */
async function backUpRemembered(
  service: Service,
  { folder, run, named, progress }: RunState,
  unnamed: Map<string, number | undefined>,
): Promise<void> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(EXTENSION))) {
    if (unnamed.size === 0) return
    const space = await spaceOf(join(folder, file)).catch(() => undefined)
    if (space === undefined || named.has(space)) continue
    const position = 'without a token'
    await attempt(progress, { space, position }, () =>
      inSpace(service, { space, clientId: CLIENT }, async (access) => {
        if (!unnamed.delete(access.spaceId ?? '')) progress.saved -= 1
        else await backUp(access, { folder, run, space, position })
      }),
    )
  }
}

/** The number of ids, or files, that a message lists. */
const MAX_LISTED = 20

function describeUnnamed(unnamed: ReadonlyMap<string, number | undefined>): string {
  const lines = [...unnamed].map(([id, entries]) => `  ${id}: ${entries ?? 'an unknown number of'} entries`)
  const more = lines.length > MAX_LISTED ? [`  and ${lines.length - MAX_LISTED} more`] : []
  const what = `${unnamed.size} ${unnamed.size === 1 ? 'space holds entries and has' : 'spaces hold entries and have'} no token that names it:`
  const remedy =
    'To back them up as well, mint a token whose "space" is the name (for a user of an identity provider: <issuer>#sub=<sub>), and run it again.'
  return [what, ...lines.slice(0, MAX_LISTED), ...more, remedy].join('\n')
}

/** Lists files of earlier back-ups, whose spaces are gone or have failed this time. */
function reportOlderFiles(folder: string, { done }: RunRecord): void {
  const names = new Set([...done].map(fileNameOf))
  const older = readdirSync(folder).filter((name) => name.endsWith(EXTENSION) && !names.has(name))
  if (older.length === 0) return
  const more = older.length > MAX_LISTED ? `, and ${older.length - MAX_LISTED} more` : ''
  console.log(`From earlier back-ups, not from this one: ${older.slice(0, MAX_LISTED).join(', ')}${more}`)
}

function report({ saved, kept, failed, missing }: Progress, folder: string): void {
  const earlier = kept > 0 ? `, ${kept} of them earlier in this run` : ''
  console.log(`${saved + kept} of ${saved + kept + failed.length} spaces are in ${folder}${earlier}`)
  for (const line of failed) console.error(`Not backed up: ${line}`)
  for (const text of missing) console.error(text)
  if (failed.length + missing.length > 0) throw new UserError('the back-up is not complete: see above')
}

function asReason(cause: unknown): string {
  if (cause instanceof UserError) return cause.message
  throw cause
}
