import type { RunningCloud } from '../../../infra/local/start-cloud.ts'
import { mintToken } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { until } from '../../support/until.ts'

/** Act in the audit. */
export interface AuditRecord {
  readonly act: string
  readonly status: number
  readonly requestId: string
  readonly admin: string
  readonly target: Readonly<Record<string, unknown>>
}

/** Acts at the service without the console. */
export interface Backstage {
  /** Opens a device of a space, with an API token of its own. */
  device(space: string, name: string, token?: object): Promise<OfflineDevice>
  /** Lets a phone write a note in a space, and waits until the registry knows the space. */
  noteIn(space: string): Promise<void>
  /** Sends a request of the operator. */
  ask<T>(path: string, init?: RequestInit): Promise<T>
  /** Waits until the registry knows spaces, a few seconds after the first write of each. */
  reported(...spaces: readonly string[]): Promise<void>
  /** Reads the audit, the newest act first. */
  records(): Promise<readonly AuditRecord[]>
}

export function backstageOf(cloud: () => RunningCloud): Backstage {
  async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const { url, outputs } = cloud()
    const headers = {
      authorization: `Bearer ${outputs.adminToken}`,
      ...(init.body && { 'content-type': 'application/json' }),
    }
    const response = await fetch(url + path, { ...init, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  async function isListed(space: string): Promise<boolean> {
    const query = new URLSearchParams({ prefix: space })
    const { spaces } = await ask<{ spaces: { space: string }[] }>(`/api/spaces?${query}`)
    return spaces.some((listed) => listed.space === space)
  }

  const device: Backstage['device'] = async (space, name, token = {}) => {
    const opened = new OfflineDevice(name, cloud().url)
    await opened.open(await mintToken(cloud(), space, { name, ...token }))
    return opened
  }

  const reported: Backstage['reported'] = async (...spaces) => {
    for (const space of spaces) await until(() => isListed(space), 30_000)
  }

  return {
    device,
    ask,
    reported,
    async noteIn(space) {
      const phone = await device(space, 'phone')
      phone.put('notes/1', { title: 'milk' })
      await phone.sync()
      await reported(space)
    },
    async records() {
      const all: AuditRecord[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query: string = cursor && `?${new URLSearchParams({ cursor })}`
        const page = await ask<{ records: AuditRecord[]; next: string | null }>(`/api/audit${query}`)
        all.push(...page.records)
        cursor = page.next
      }
      return all
    },
  }
}
