import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { allowMuch, GENEROUS, testCloud } from '../support/cloud/cloud.ts'
import type { Service } from './network.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly service: Service
  }
}

/** Policies: RxDB resolves conflicts in its own handler. In `notes` the service merges, in `tasks` the later write wins. */
const POLICIES = { human: 'server-wins', notes: 'merge', choices: 'manual' }

/** Starts one service for all tests here. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!existsSync(join(import.meta.dirname, 'node_modules'))) {
    console.log('The tests of RxDB and TanStack DB did not run. Install and run them: npm run test:clients')
    return undefined
  }
  const tested = testCloud()
  const cloud = await tested.start({ ...GENEROUS })
  await allowMuch(cloud, POLICIES)
  project.provide('service', { url: cloud.url, outputs: cloud.outputs })
  return () => tested.remove()
}
