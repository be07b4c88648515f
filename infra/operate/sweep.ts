// `npm run sweep -- URL --stack prod`: has every space seal all it holds by the newest master key, and says which older
// ones can then be retired.
import { setTimeout } from 'node:timers/promises'
import { StartError } from '../local/start-error.ts'
import { callApi } from './api-client.ts'
import { runTool } from './command-line.ts'
import { listObjects } from './object-list.ts'
import { readService } from './service-option.ts'
import type { Service } from './space-access.ts'
import { takeStack } from './stack-option.ts'

const USAGE = 'npm run sweep -- URL [--stack NAME]'

/** The most that one request takes (docs/spec.md, KR6). */
const SPACES_AT_ONCE = 100

/** How long to wait before a space is asked again, and how long for any of them to be done. */
const PAUSE_MS = 1_000
const PATIENCE_MS = Number(process.env.SWEEP_PATIENCE_MS || 600_000)

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const service = readService(rest.join(' '), USAGE)
  const spaces = await listObjects({ api: service.api, stack })
  console.log(`${spaces.length} spaces`)
  if (spaces.length === 0) return
  const { generation, left } = await sweep(service, spaces)
  for (const { id, state } of left) console.error(`${id}: ${state}`)
  if (left.length > 0)
    throw new StartError(
      `${left.length} of ${spaces.length} spaces are not sealed by master key ${generation}: retire no key, look at the Worker's log, and run it again`,
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
}

interface Swept {
  readonly generation: number
  /** What is not done. */
  readonly left: readonly Space[]
}

/** How often a space that fails is asked: an object can be in the middle of a move. */
const ATTEMPTS = 3

/** Asks until all are done, or nothing has been for a long time. */
async function sweep(service: Service, spaces: readonly string[]): Promise<Swept> {
  let left: readonly Space[] = spaces.map((id) => ({ id, state: 'pending' }))
  let patience = Date.now() + PATIENCE_MS
  for (let round = 1; ; round++) {
    const { generation, states } = await askAll(service, left)
    const now = states.filter(({ state }) => state !== 'done')
    if (now.length < left.length) {
      patience = Date.now() + PATIENCE_MS
      console.log(`${spaces.length - now.length} of ${spaces.length} done`)
    }
    left = now
    const isHopeless = round >= ATTEMPTS && left.every(({ state }) => state === 'failed')
    if (left.length === 0 || isHopeless || Date.now() > patience) return { generation, left }
    await setTimeout(PAUSE_MS)
  }
}

async function askAll(
  service: Service,
  spaces: readonly Space[],
): Promise<{ readonly generation: number; readonly states: readonly Space[] }> {
  const states: Space[] = []
  let generation = 0
  for (let first = 0; first < spaces.length; first += SPACES_AT_ONCE) {
    const ids = spaces.slice(first, first + SPACES_AT_ONCE).map(({ id }) => id)
    const told = await ask(service, ids)
    states.push(...told.spaces)
    generation = told.generation
  }
  return { generation, states }
}

/** As often as the service says to come again. */
async function ask(
  { api, adminToken }: Service,
  spaces: readonly string[],
): Promise<{ readonly generation: number; readonly spaces: readonly Space[] }> {
  const request = 'POST /api/spaces/reseal'
  const { status, headers, body } = await callApi(api, request, { bearer: adminToken, body: { spaces } })
  if (status === 429) {
    await setTimeout(1000 * Number(headers.get('retry-after') ?? 60))
    return ask({ api, adminToken }, spaces)
  }
  if (status !== 200) throw new StartError(`${request} answered ${status}: ${body.detail ?? body}`)
  return body
}

runTool(main)
