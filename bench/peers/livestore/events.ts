import { documentText, type Entries } from '../../clients/entries.ts'

/** The most events of a push, as LiveStore's own client sends them (`MAX_PUSH_EVENTS_PER_REQUEST`). */
export const MOST_EVENTS = 100

/** The events of a batch, in pushes that LiveStore's own client would send. */
export function eventsOf(own: Entries, size: number, round: number): readonly (readonly string[])[] {
  const args = own.pick(size).map((key) => `{"key":"${key}","value":${documentText(key, round)}}`)
  return Array.from({ length: Math.ceil(size / MOST_EVENTS) }, (_, index) =>
    args.slice(index * MOST_EVENTS, (index + 1) * MOST_EVENTS),
  )
}

/** The request that pushes events behind an event number. */
export function pushText(
  rpc: string,
  { id, space, part }: { readonly id: number; readonly space: string; readonly part: number },
  { args, head }: { readonly args: readonly string[]; readonly head: number },
): string {
  const batch = args.map(
    (each, index) =>
      `{"name":"put","args":${each},"seqNum":${head + index + 1},"parentSeqNum":${head + index},"clientId":"c${part}","sessionId":"s"}`,
  )
  return `{"_tag":"Request","id":"${id}","tag":"${rpc}","payload":{"storeId":"${space}","batch":[${batch.join(',')}],"backendId":{"_tag":"None"}},"headers":[]}`
}

interface Exit {
  readonly _tag: string
  readonly requestId?: string
  readonly exit?: {
    readonly _tag: string
    readonly cause?: { readonly error?: { readonly _tag: string; readonly minimumExpectedNum?: number } }
  }
}

/**
 * Whether events were accepted, and if others came first, the number behind which to push them again. Two pushes that
 * meet in the server can fail on its table in place of the check, and are then told no number. Undefined for a message
 * that is no reply to the request.
 */
export function outcomeOf(text: string, id: number): { accepted: boolean; head?: number } | undefined {
  const parsed = JSON.parse(text) as Exit | readonly Exit[]
  const reply = [parsed].flat().find(({ requestId, _tag }) => _tag === 'Exit' && requestId === String(id)) as
    | Exit
    | undefined
  if (reply === undefined) return
  if (reply.exit?._tag === 'Success') return { accepted: true }
  const head = reply.exit?.cause?.error?.minimumExpectedNum
  if (head === undefined && !text.includes('UNIQUE constraint failed'))
    throw new Error(`the push was refused: ${text.slice(0, 300)}`)
  return { accepted: false, ...(head !== undefined && { head }) }
}
