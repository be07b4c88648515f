import { refusal } from '../exchange/refusal.ts'
import { checksum } from './api-token.ts'

/** How many values one page shows: what one bulk read of KV takes. */
const PAGE = 100

/** What stands before a cursor of KV in those that clients get. */
const CHECKSUM_LENGTH = 7

interface KvPage {
  readonly values: readonly unknown[]
  readonly next: string | null
}

/** A page of the JSON values under a prefix, in the order of their names, and where the next one begins. */
export async function readPage(kv: KVNamespace, prefix: string, cursor: string | undefined): Promise<KvPage> {
  const from = cursor === undefined ? {} : { cursor: kvCursor(prefix, cursor) }
  const page = await kv.list({ prefix, limit: PAGE, ...from })
  const names = page.keys.map(({ name }) => name)
  const stored = names.length === 0 ? new Map<string, unknown>() : await kv.get<unknown>(names, 'json')
  // What has gone may still be listed.
  const values = names.map((name) => stored.get(name) ?? null).filter((value) => value !== null)
  return { values, next: page.list_complete ? null : clientCursor(prefix, page.cursor) }
}

/** KV answers a text that is none of its cursors with an empty page or an error: a checksum tells it from a real one. */
function clientCursor(prefix: string, cursor: string): string {
  return checksum(prefix + cursor) + cursor
}

function kvCursor(prefix: string, given: string): string {
  const cursor = given.slice(CHECKSUM_LENGTH)
  if (given === clientCursor(prefix, cursor)) return cursor
  throw refusal({ code: 'invalid-request', detail: 'cursor: expected the `next` of the page before' })
}
