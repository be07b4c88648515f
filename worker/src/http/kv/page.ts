import { refusal } from '../exchange/refusal.ts'
import { checksum } from './api-token.ts'

/** The number of values in one page: the size of one bulk read of KV. */
const PAGE = 100

/** The length of the checksum in front of KV's cursor. */
const CHECKSUM_LENGTH = 7

interface KvPage {
  readonly values: readonly unknown[]
  readonly next: string | null
}

/** One page of the JSON values under a prefix, in the order of their names, and the cursor of the next page. */
export async function readPage(kv: KVNamespace, prefix: string, cursor: string | undefined): Promise<KvPage> {
  const from = cursor === undefined ? {} : { cursor: kvCursor(prefix, cursor) }
  const page = await kv.list({ prefix, limit: PAGE, ...from })
  const names = page.keys.map(({ name }) => name)
  const stored = names.length === 0 ? new Map<string, unknown>() : await kv.get<unknown>(names, 'json')
  // KV may still list deleted names.
  const values = names.map((name) => stored.get(name) ?? null).filter((value) => value !== null)
  return { values, next: page.list_complete ? null : clientCursor(prefix, page.cursor) }
}

/** KV replies to a text that is not its cursor with an empty page or an error. A checksum detects such a text. */
function clientCursor(prefix: string, cursor: string): string {
  return checksum(prefix + cursor) + cursor
}

function kvCursor(prefix: string, given: string): string {
  const cursor = given.slice(CHECKSUM_LENGTH)
  if (given === clientCursor(prefix, cursor)) return cursor
  throw refusal({ code: 'invalid-request', detail: 'cursor: expected the `next` of the previous page' })
}
