import { readFileSync, writeFileSync } from 'node:fs'
import { scriptFile } from '../../infra/local/cloud/account.ts'
import type { StandIn } from './stand-in.ts'

/** Deploys other code past the stack. Its upload time is a minute later, which even a coarse clock shows. */
export function deployOtherCode({ changeByHand }: StandIn): void {
  changeByHand((account, folder) => {
    account.scripts = account.scripts.map((script) => {
      const file = scriptFile(folder, script.name)
      writeFileSync(file, `${readFileSync(file, 'utf8')}\n// by hand\n`)
      return { ...script, modifiedOn: new Date(Date.now() + 60_000).toISOString() }
    })
  })
}

export function switchWorkersDevOn({ changeByHand }: StandIn): void {
  changeByHand((account) => {
    account.scripts = account.scripts.map((script) => ({ ...script, workersDev: true }))
  })
}

export function deleteNamespaces({ changeByHand }: StandIn): void {
  changeByHand((account) => {
    account.namespaces = []
  })
}

export function deleteDomains({ changeByHand }: StandIn): void {
  changeByHand((account) => {
    account.domains = []
  })
}
