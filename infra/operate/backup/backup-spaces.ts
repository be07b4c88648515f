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
  /** The ids of all objects that hold data; rejects with one line if nobody can list them. */
  readonly listObjects: () => Promise<readonly string[]>
}

/** What came of a back-up. */
interface Outcome {
  saved: number
  /** Of those that an earlier part of the run has saved. */
  kept: number
  readonly failed: string[]
  /** Why it may not be all. */
  readonly missing: string[]
}

/** What the tool is called among the clients of a space. */
const CLIENT = 'backup'

/** How often a space is tried: an export breaks off where a deployment cuts its connection. */
const ATTEMPTS = 2

/**
 * Writes a file for every space, and says of each how it went. One that cannot be read does not stop the others.
 * Rejects in the end if anything is missing.
 */
export async function backUpSpaces(service: Service, options: BackUpOptions): Promise<void> {
  const { folder, again } = options
  const run = beginRun(folder, 'back-up', { api: service.api, again, clock: service.clock })
  // The objects first: who has a token by then has one in the list that follows.
  const objects = await options.listObjects().catch(asReason)
  const named = await listNamedSpaces(service)
  const outcome: Outcome = { saved: 0, kept: 0, failed: [], missing: [] }
  for (const [index, space] of [...named.keys()].entries()) {
    const place = `${index + 1} of ${named.size}`
    if (await isKept(run, folder, space)) outcome.kept += 1
    else
      await attempt(outcome, { space, place }, () =>
        inSpace(service, { space, clientId: CLIENT }, (access) =>
          backUp(access, { folder, run, space, place }),
        ),
      )
  }
  await completeBy(service, { ...options, run, named, objects, outcome })
  // What has failed is tried again by the next run, which then keeps the rest.
  if (outcome.failed.length === 0) run.end()
  tellOlderFiles(folder, run)
  report(outcome, folder)
}

interface Wanted {
  readonly folder: string
  readonly run: RunRecord
  readonly space: string
  readonly place: string
}

async function isKept(run: RunRecord, folder: string, space: string): Promise<boolean> {
  return run.done.has(space) && (await entriesIn(join(folder, fileNameOf(space)))) !== undefined
}

/** Writes the file of a space, under its name only once it is whole. */
async function backUp(access: SpaceAccess, { folder, run, space, place }: Wanted): Promise<void> {
  const file = join(folder, fileNameOf(space))
  const part = `${file}.part`
  for (let attempt = 1; ; attempt++) {
    const broken = await save(access, part, folder)
    const entries = await entriesIn(part)
    if (entries !== undefined) {
      writing(folder, () => renameSync(part, file))
      run.note(space)
      return console.log(`${place}  ${file}: ${entries} entries`)
    }
    rmSync(part, { force: true })
    if (attempt === ATTEMPTS) {
      throw new UserError(
        `its export breaks off${broken && ` (${broken})`}: something in it cannot be read, see the Worker's log`,
      )
    }
  }
}

/** Why it broke off, if it did and somebody knows. What the folder refuses is no fault of the space. */
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

/** Does something for one space; that it cannot be done is noted, and the next one is tried. */
async function attempt(
  outcome: Outcome,
  { space, place }: Pick<Wanted, 'space' | 'place'>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
    outcome.saved += 1
  } catch (cause) {
    if (!(cause instanceof UserError) || cause instanceof FolderError) throw cause
    const line = `${space}: ${cause.message}`
    console.error(`${place}  ${line}`)
    outcome.failed.push(line)
  }
}

interface Completion extends BackUpOptions {
  readonly run: RunRecord
  readonly named: ReadonlyMap<string, string | undefined>
  /** Or why they cannot be listed. */
  readonly objects: readonly string[] | string
  readonly outcome: Outcome
}

/** Looks for spaces that no token names: those that the folder knows by name are backed up, the others are told. */
async function completeBy(service: Service, completion: Completion): Promise<void> {
  const { named, objects, outcome } = completion
  if (objects.length === 0 && named.size === 0) {
    outcome.missing.push(
      `nothing was found: no token names a space, and no object of the stack holds data. Check that ${service.api} is the service that is meant, and that --stack names its stack`,
    )
    return
  }
  const unnamed = await findUnnamed(service, completion)
  if (typeof unnamed === 'string') {
    outcome.missing.push(`whether other spaces hold data is not known: ${unnamed}`)
    return
  }
  if (named.size === 0 && unnamed.size === 0)
    console.log('No token names a space, and no object of the stack holds entries')
  await backUpRemembered(service, completion, unnamed)
  if (unnamed.size > 0) outcome.missing.push(describeUnnamed(unnamed))
}

/** The objects that hold entries and that no token names, as `holdingEntries` has them; or why they are not known. */
async function findUnnamed(
  service: Service,
  completion: Completion,
): Promise<Map<string, number | undefined> | string> {
  const { named, objects } = completion
  if (typeof objects === 'string') return objects
  const ids = new Set(named.values())
  if (ids.has(undefined)) return 'the service is of an older release'
  const absent = await missingFrom(objects, completion)
  if (absent !== undefined)
    return `${absent} holds entries and is not among the objects that were listed. They are of another stack, name the right one with --stack`
  const others = objects.filter((id) => !ids.has(id))
  return holdingEntries(service, others).catch(
    (cause) =>
      `${asReason(cause)}. If the objects that were listed are of another stack, name the right one with --stack`,
  )
}

/** A space that was saved with entries and has no object in the list, which then is of another stack. */
async function missingFrom(objects: readonly string[], completion: Completion): Promise<string | undefined> {
  if ((await firstUnlisted(objects, completion)) === undefined) return undefined
  // A space that was first written to during the back-up is in a list that is made now.
  const listedNow = await completion.listObjects().catch(asReason)
  return firstUnlisted(typeof listedNow === 'string' ? objects : listedNow, completion)
}

async function firstUnlisted(
  objects: readonly string[],
  { folder, run, named }: Completion,
): Promise<string | undefined> {
  const listed = new Set<string | undefined>(objects)
  for (const [space, id] of named) {
    if (listed.has(id) || !run.done.has(space)) continue
    if (await entriesIn(join(folder, fileNameOf(space)))) return space
  }
  return undefined
}

/** How many ids one request takes (docs/spec.md, KR6). */
const IDS_AT_ONCE = 100

/** Those that hold live entries, or cannot tell, with their number. Erased ones are still listed. */
async function holdingEntries(
  service: Service,
  ids: readonly string[],
): Promise<Map<string, number | undefined>> {
  const holding = new Map<string, number | undefined>()
  for (let first = 0; first < ids.length; first += IDS_AT_ONCE) {
    const request = 'POST /api/spaces/reseal'
    const body = { spaces: ids.slice(first, first + IDS_AT_ONCE) }
    const told = bodyOf(request, await askService(service, request, { bearer: service.adminToken, body }))
    for (const { id, entries } of told.spaces) if (entries !== 0) holding.set(id, entries)
  }
  return holding
}

/** Tries the names that files of earlier back-ups have, as long as there are objects without one. */
async function backUpRemembered(
  service: Service,
  { folder, run, named, outcome }: Completion,
  unnamed: Map<string, number | undefined>,
): Promise<void> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(EXTENSION))) {
    if (unnamed.size === 0) return
    const space = await spaceOf(join(folder, file)).catch(() => undefined)
    if (space === undefined || named.has(space)) continue
    const place = 'without a token'
    await attempt(outcome, { space, place }, () =>
      inSpace(service, { space, clientId: CLIENT }, async (access) => {
        if (!unnamed.delete(access.spaceId ?? '')) outcome.saved -= 1
        else await backUp(access, { folder, run, space, place })
      }),
    )
  }
}

/** How many ids, or files, are told. */
const TOLD = 20

function describeUnnamed(unnamed: ReadonlyMap<string, number | undefined>): string {
  const lines = [...unnamed].map(([id, entries]) => `  ${id}: ${entries ?? 'an unknown number of'} entries`)
  const more = lines.length > TOLD ? [`  and ${lines.length - TOLD} more`] : []
  const what = `${unnamed.size} ${unnamed.size === 1 ? 'space holds entries and has' : 'spaces hold entries and have'} no token that names it:`
  const remedy =
    'To have them as well, mint a token whose "space" is the name (of a user of an identity provider: <issuer>#sub=<sub>), and run it again.'
  return [what, ...lines.slice(0, TOLD), ...more, remedy].join('\n')
}

/** What lies in the folder and is no part of this back-up: of spaces that have gone, or have failed this time. */
function tellOlderFiles(folder: string, { done }: RunRecord): void {
  const names = new Set([...done].map(fileNameOf))
  const older = readdirSync(folder).filter((name) => name.endsWith(EXTENSION) && !names.has(name))
  if (older.length === 0) return
  const more = older.length > TOLD ? `, and ${older.length - TOLD} more` : ''
  console.log(`Of earlier back-ups, not of this one: ${older.slice(0, TOLD).join(', ')}${more}`)
}

function report({ saved, kept, failed, missing }: Outcome, folder: string): void {
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
