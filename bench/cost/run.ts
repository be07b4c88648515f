// `npm run cost`: counts the work of loads in the runtime, and bills it at the published prices. `--json FILE` writes all
// figures, and `--write` the tables of docs/costs.md. Only the processor time depends on the machine.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { billLoad, type CountedLoad, countLoad, LOADS, timeLoad } from './measure.ts'
import { countPeers } from './peers.ts'
import { type Costs, rewrite, tablesOf } from './report.ts'
import { countScenarios } from './scenarios.ts'
import { serveCounted } from './service.ts'

const DOCUMENT = join(import.meta.dirname, '../../docs/costs.md')

const { values } = parseArgs({ options: { json: { type: 'string' }, write: { type: 'boolean' } } })

console.log('Counting the work of loads and scenarios, in one to three minutes')
const costs = await measure()
const tables = tablesOf(costs)
for (const content of Object.values(tables)) console.log(`\n${content}`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(costs, null, 2)}\n`)
if (values.write) writeFileSync(DOCUMENT, rewrite(readFileSync(DOCUMENT, 'utf8'), tables))

/** Counts everything first, because the counters take processor time themselves. */
async function measure(): Promise<Costs> {
  await using service = await serveCounted()
  const counted: CountedLoad[] = []
  for (const load of LOADS) counted.push(await countLoad(service, load))
  const scenarios = await countScenarios(service)
  const peers = await countPeers(service)
  await service.stopCounting()
  const loads = []
  for (const each of counted) loads.push(billLoad(each, await timeLoad(service, each.load)))
  return { loads, scenarios, peers }
}
