import { waitUntil } from 'cloudflare:workers'
import { SHARDS, shardOf } from '../../core/report/shards.ts'
import { locatedIn } from '../../core/values/jurisdiction.ts'

type Shard = ReturnType<Env['REGISTRY']['getByName']>

/** The shards of the registry. */
export function shardsOf(env: Env): readonly Shard[] {
  return SHARDS.map((name) => namespaceOf(env).getByName(name))
}

/** Whether the registry lists a space: it has reported, and was not erased since. */
export function isKnownSpace(space: string, env: Env): Promise<boolean> {
  return namespaceOf(env).getByName(shardOf(space)).has(space)
}

/** The shortest time between two counts of defects by one isolate, ms: a defect that everybody meets costs little. */
const COUNT_PAUSE_MS = 10_000

let defects = 0
let isCounting = false

/** Counts an unexpected error in the metrics. Returns at once. If the registry is out of reach, only the log has the error. */
export function countDefect(env: Env): void {
  defects += 1
  if (isCounting) return
  isCounting = true
  waitUntil(
    new Promise((resolve) => setTimeout(resolve, COUNT_PAUSE_MS))
      .then(() => sendDefects(env))
      .catch(() => undefined),
  )
}

async function sendDefects(env: Env): Promise<void> {
  isCounting = false
  const count = defects
  defects = 0
  await shardsOf(env)[0]?.countDefects(count)
}

/** The registry is in the jurisdiction of the spaces, because it holds their names. */
function namespaceOf({ REGISTRY, JURISDICTION }: Env): Env['REGISTRY'] {
  return locatedIn(REGISTRY, JURISDICTION)
}
