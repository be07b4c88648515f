// `npm run sweep -- URL --stack prod`: has every space seal all of its data with the newest master key, and says which
// older keys can then be retired.

import { runTool } from '../cli/command-line.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { bodyOf } from './service/api-client.ts'
import { listObjects } from './service/object-list.ts'
import { askService, type Service } from './service/persist.ts'
import { checkStack, readService } from './service/service-option.ts'

const USAGE = 'npm run sweep -- URL [--stack NAME]'

/** The limit of one request (docs/spec.md, KR6). */
const SPACES_AT_ONCE = 100

/** The pause between two rounds, and how long the sweep continues without any progress. */
const PAUSE_MS = 1_000
const PATIENCE_MS = Number(process.env.SWEEP_PATIENCE_MS || 600_000)

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const service = readService(rest.join(' '), USAGE)
  await checkStack(service, stack)
  const { generation, asked, left } = await sweepAll(service, stack)
  for (const space of left) console.error(`${space.id}: ${describe(space)}`)
  if (left.length > 0)
    throw new UserError(
      `${left.length} of ${asked} spaces are not sealed by master key ${generation}: retire no key. ${remedyFor(left)}, and run it again`,
    )
  console.log(`All are sealed by master key ${generation}.`)
  if (generation === 1) return
  console.log(
    `To retire older ones: write sweptMasterKey: ${generation} into Pulumi.${stack}.yaml and deploy; then masterKeys: [${generation}], and deploy again.`,
  )
}

interface Space {
  readonly id: string
  readonly state: 'done' | 'pending' | 'failed'
  /** The number of chunks that cannot be read. */
  readonly unreadable?: number
}

function describe({ state, unreadable }: Space): string {
  if (unreadable === undefined) return state
  return `${state}, ${unreadable} ${unreadable === 1 ? 'chunk' : 'chunks'} cannot be read`
}

function remedyFor(left: readonly Space[]): string {
  return left.some(({ unreadable }) => unreadable !== undefined)
    ? 'Put back the master key that is missing, or erase the spaces that are named and restore them from a back-up'
    : "Look at the Worker's log"
}

interface Swept {
  readonly generation: number
  /** The spaces that are not done. */
  readonly left: readonly Space[]
}

/**
 * Sweeps all listed spaces, and lists again until no new space appears. For some minutes after a deployment, a Worker
 * with the older secrets may still run and create spaces that are sealed by the older key.
 */
async function sweepAll(service: Service, stack: string): Promise<Swept & { readonly asked: number }> {
  const done = new Set<string>()
  for (let newest = 0; ; ) {
    const listed = await listObjects({ api: service.api, stack })
    const spaces = listed.filter((id) => !done.has(id))
    if (newest === 0 && spaces.length === 0) throw nothingListed(service, stack)
    if (spaces.length === 0) return { generation: newest, asked: done.size, left: [] }
    console.log(newest === 0 ? `${spaces.length} spaces` : `${spaces.length} spaces more`)
    const { generation, left } = await sweep(service, spaces, newest)
    if (left.length > 0) return { generation, asked: done.size + spaces.length, left }
    // The spaces that are done were sealed by an older key, so all of them are asked again.
    if (generation > newest) done.clear()
    for (const id of spaces) done.add(id)
    newest = generation
  }
}

function nothingListed({ api }: Service, stack: string): UserError {
  return new UserError(
    `the stack ${stack} has no objects that hold data: retire no key. Check that --stack names the stack of ${api}. If nothing was ever stored there, there is nothing to sweep`,
  )
}

/** How often a failing space is asked, because its object may just be moving. */
const ATTEMPTS = 3

/** Asks until all spaces are done under the generation `least` or a newer one, or until there is no progress for long. */
async function sweep(service: Service, spaces: readonly string[], least: number): Promise<Swept> {
  let left: readonly Space[] = spaces.map(pending)
  const { clock } = service
  let deadline = clock.now() + PATIENCE_MS
  let newest = least
  for (let round = 1; ; round++) {
    const { generation, states } = await askAll(service, left, newest)
    // Right after a deployment an older Worker may answer. Spaces that it reports as done are not, under the newer key.
    const isNewer = newest > 0 && generation > newest
    newest = generation
    const now = isNewer ? spaces.map(pending) : states.filter(({ state }) => state !== 'done')
    if (now.length < left.length) {
      deadline = clock.now() + PATIENCE_MS
      console.log(`${spaces.length - now.length} of ${spaces.length} done`)
    }
    left = now
    const isHopeless = round >= ATTEMPTS && left.every(({ state }) => state === 'failed')
    if (left.length === 0 || isHopeless || clock.now() > deadline) return { generation, left }
    await clock.sleep(PAUSE_MS, service.signal)
  }
}

interface SweepReply {
  readonly generation: number
  readonly states: readonly Space[]
}

/** The states of all spaces under the newest generation that the service has named. */
async function askAll(service: Service, spaces: readonly Space[], least: number): Promise<SweepReply> {
  const replies: SweepReply[] = []
  for (let first = 0; first < spaces.length; first += SPACES_AT_ONCE) {
    const ids = spaces.slice(first, first + SPACES_AT_ONCE).map(({ id }) => id)
    replies.push(await ask(service, ids))
  }
  const generation = Math.max(least, ...replies.map((reply) => reply.generation))
  const states = replies.flatMap((reply) =>
    reply.generation === generation ? reply.states : reply.states.map(({ id }) => pending(id)),
  )
  return { generation, states }
}

function pending(id: string): Space {
  return { id, state: 'pending' }
}

async function ask(service: Service, spaces: readonly string[]): Promise<SweepReply> {
  const request = 'POST /api/spaces/reseal'
  const reply = await askService(service, request, { bearer: service.adminToken, body: { spaces } })
  const body = bodyOf(request, reply)
  return { generation: body.generation, states: body.spaces }
}

runTool(USAGE, main)
