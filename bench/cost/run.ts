// `npm run cost`: counts the work of loads in the runtime, and bills it at the published prices. Only the processor time
// depends on the machine.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runTool } from '../../infra/cli/command-line.ts'
import { UserError } from '../../infra/cli/user-error.ts'
import { type BilledLoad, billLoad, type CountedLoad, countLoad, LOADS, timeLoad } from './measure.ts'
import { countPeers } from './peers.ts'
import { type Costs, rewrite, tablesOf } from './report.ts'
import { countDailyUse, countRarePulls } from './scenarios.ts'
import { serveCounted } from './service.ts'

const USAGE = 'npm run cost -- [--json FILE] [--write, which renews the tables of docs/costs.md]'
const DOCUMENT = join(import.meta.dirname, '../../docs/costs.md')

runTool(USAGE, async () => {
  const { json, write } = readFlags()
  console.log('Counting the work of loads and of daily use, in some minutes')
  const costs = await measure()
  const tables = tablesOf(costs)
  for (const content of Object.values(tables)) console.log(`\n${content}`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(costs, null, 2)}\n`)
  if (write) writeFileSync(DOCUMENT, rewrite(readFileSync(DOCUMENT, 'utf8'), tables))
})

function readFlags() {
  try {
    const options = { json: { type: 'string' }, write: { type: 'boolean', default: false } } as const
    return parseArgs({ options }).values
  } catch {
    throw new UserError(`unknown arguments. Usage: ${USAGE}`)
  }
}

/** Counts everything first, because the counters take processor time themselves. */
async function measure(): Promise<Costs> {
  const rare = await countRarePulls()
  await using service = await serveCounted()
  const counted: CountedLoad[] = []
  for (const load of LOADS) counted.push(await countLoad(service, load))
  const scenarios = [...(await countDailyUse(service)), rare]
  const peers = await countPeers(service)
  await service.stopCounting()
  const loads: BilledLoad[] = []
  for (const each of counted) loads.push(billLoad(each, await timeLoad(service, each.load)))
  return { loads, scenarios, peers }
}
