import { join } from 'node:path'
import { type FannedOut, fanOut, LISTENERS } from '../fan-out/fan-out.ts'
import { fanOutTable, plainLines } from '../report/tables.ts'
import { serveBroadcast } from '../servers/objects.ts'
import { serveUnlimited } from '../servers/product.ts'

/** Measures how soon the followers of a space have a change, beside a bare broadcast, and prints a table. */
export async function measureFanOut(folder: string): Promise<readonly FannedOut[]> {
  const bare = await serveBroadcast(join(folder, 'broadcast'))
  const product = await serveUnlimited(join(folder, 'fan-out'))
  try {
    const found: FannedOut[] = []
    for (const listeners of LISTENERS)
      found.push(...(await fanOut({ product, bare }, { listeners, rounds: 3, pushes: 100 })))
    console.log(`\nfan-out\n${plainLines(fanOutTable(found))}`)
    return found
  } finally {
    await product.stop()
    await bare.stop()
  }
}
