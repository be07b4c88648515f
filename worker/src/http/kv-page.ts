/** How many values one page shows: what one bulk read of KV takes. */
const PAGE = 100

interface KvPage {
  readonly values: readonly unknown[]
  readonly next: string | null
}

/** A page of the JSON values under a prefix, in the order of their names, and where the next one begins. */
export async function readPage(kv: KVNamespace, prefix: string, cursor: string | undefined): Promise<KvPage> {
  const page = await kv.list({ prefix, limit: PAGE, ...(cursor !== undefined && { cursor }) })
  const names = page.keys.map(({ name }) => name)
  const stored = names.length === 0 ? new Map<string, unknown>() : await kv.get<unknown>(names, 'json')
  // What has gone may still be listed.
  const values = names.map((name) => stored.get(name) ?? null).filter((value) => value !== null)
  return { values, next: page.list_complete ? null : page.cursor }
}
