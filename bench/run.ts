// `npm run bench`: puts the same load on the product and on other servers, in turn, in one run. The times belong to this
// machine. Only the ratios are meaningful.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from '../infra/cli/command-line.ts'
import { optionsOf, USAGE } from './options.ts'
import { writeDocs } from './report/docs.ts'
import { recordOf } from './report/records.ts'
import { measureFanOut } from './sections/fan-out.ts'
import { measureLarge } from './sections/large.ts'
import { FULL, measureWrites, QUICK } from './sections/writes.ts'

async function main(): Promise<void> {
  const { quick, json, write } = optionsOf(process.argv.slice(2))
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-bench-'))
  try {
    console.log(`Measuring ${quick ? 'writes, in about a minute' : 'everything, in about fifteen minutes'}`)
    const writes = await measureWrites(folder, quick ? QUICK : FULL)
    if (json !== null) writeFileSync(json, `${JSON.stringify(writes.map(recordOf), null, 2)}\n`)
    if (quick) return
    const fanOut = await measureFanOut(folder)
    const large = await measureLarge(folder)
    if (write) writeDocs({ writes, fanOut, ...large })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

runTool(USAGE, main)
