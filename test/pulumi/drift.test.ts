import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { scriptFile } from '../../infra/local/cloud/account.ts'
import { deleteDomains, deleteNamespaces, deployOtherCode, switchWorkersDevOn } from '../standin/drift.ts'
import type { StandIn } from '../standin/stand-in.ts'
import { HOSTNAME } from '../support/cloud/project.ts'
import { newStack, pulumiTest } from './stack.ts'

/** Describes the account without ids and times. */
function describe({ account, folder }: StandIn): object {
  const { namespaces, scripts, domains } = account
  const ids = namespaces.map(({ id }) => id)
  return {
    titles: namespaces.map(({ title }) => title),
    hostnames: domains.map(({ hostname }) => hostname),
    scripts: scripts.map(({ name, workersDev, migrationTag, bindings }) => ({
      workersDev,
      migrationTag,
      code: readFileSync(scriptFile(folder, name), 'utf8'),
      bound: bindings.map(({ namespaceId }) => ids.indexOf(String(namespaceId))),
    })),
  }
}

pulumiTest.each([
  ['other code', deployOtherCode],
  ['a workers.dev switch that is on', switchWorkersDevOn],
  ['a deleted KV namespace', deleteNamespaces],
  ['a deleted domain', deleteDomains],
])('shows %s in a preview with --refresh, and repairs it by `up --refresh`', async (_what, drift) => {
  const stack = await newStack('prod')
  await stack.set('hostname', HOSTNAME.hostname)
  const first = await stack.up()
  expect(first.code, first.printed).toBe(0)
  const wanted = describe(stack.standIn)

  drift(stack.standIn)
  const seen = await stack.preview('--refresh', '--expect-no-changes')
  expect(seen.code, seen.printed).not.toBe(0)
  const repair = await stack.up('--refresh')
  expect(repair.code, repair.printed).toBe(0)
  expect(describe(stack.standIn)).toEqual(wanted)
  expect(stack.uploads().some(({ metadata }) => metadata?.migrations)).toBe(false)
  const settled = await stack.preview('--refresh', '--expect-no-changes')
  expect(settled.code, settled.printed).toBe(0)
})
