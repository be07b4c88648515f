// Serves policy packs in a process that has already loaded the SDK. policy-runner.ts starts this process and asks for
// one pack after the other.
import { join } from 'node:path'
import { importFresh } from './fresh-modules.ts'

process.on('message', async (root: string) => {
  process.chdir(join(root, 'infra/policy'))
  // The SDK prints the port as soon as it serves the pack.
  console.log = (port: string) => process.send?.(port)
  await importFresh(join(root, 'infra/policy/index.js'))
})

// Packs listen until the process ends.
process.on('disconnect', () => process.exit())
