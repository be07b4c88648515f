import { documentText, type Entries } from './entries.ts'

/** A well-behaved device, which numbers its batches and sends the time and the base of every change. */
export interface Device {
  /** The body of the next batch. With a cursor, the reply brings what others have written since. */
  body(size: number, cursor?: string): string
  /** Takes the reply to the batch. Throws unless every change was applied. */
  learn(reply: Results): void
}

/** The reply to a batch. */
export interface Results {
  readonly results: readonly { readonly key: string; readonly status: string; readonly version: string }[]
}

export function deviceOf(entries: Entries, versions = new Map<string, string>()): Device {
  let round = 0
  return {
    body(size, cursor) {
      round += 1
      const time = Date.now()
      const changes = entries.pick(size).map((key) => {
        const version = versions.get(key)
        const base = version === undefined ? 'null' : `"${version}"`
        return `{"key":"${key}","value":${documentText(key, round)},"timestamp":${time},"base":${base}}`
      })
      const from = cursor === undefined ? '' : `"cursor":"${cursor}",`
      return `{"batch":${round},"clientTime":${time},${from}"changes":[${changes.join(',')}]}`
    },
    learn: (reply) => learn(versions, reply),
  }
}

/** Takes the versions of a reply. Throws unless every change was applied. */
export function learn(versions: Map<string, string>, { results }: Results): void {
  for (const { key, status, version } of results) {
    if (status !== 'applied') throw new Error(`${key} was ${status}`)
    versions.set(key, version)
  }
}
