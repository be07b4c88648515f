/** Time for which a location caches a value or a miss, ms. */
const CACHED_MS = 60_000

interface Kept {
  readonly at: number
  readonly text: string | null
}

/**
 * KV as seen from a location far from every write. The location caches a value or a miss for a minute, even if the name
 * is written meanwhile, also at this location. The first read of a name is current. Times are those of `Date.now()`.
 */
export function lateKv(kv: KVNamespace): KVNamespace & { readonly reads: () => number } {
  const kept = new Map<string, Kept>()
  let reads = 0

  async function read(name: string): Promise<string | null> {
    reads += 1
    const known = kept.get(name)
    if (known !== undefined && Date.now() - known.at < CACHED_MS) return known.text
    const text = await kv.get(name, 'text')
    kept.set(name, { at: Date.now(), text })
    return text
  }

  async function get(names: string | readonly string[], type?: string): Promise<unknown> {
    const shaped = async (name: string) => {
      const text = await read(name)
      return type === 'json' && text !== null ? JSON.parse(text) : text
    }
    if (typeof names === 'string') return shaped(names)
    return new Map(await Promise.all(names.map(async (name) => [name, await shaped(name)] as const)))
  }

  const late = {
    get,
    put: kv.put.bind(kv),
    delete: kv.delete.bind(kv),
    list: kv.list.bind(kv),
    reads: () => reads,
  }
  return late as unknown as KVNamespace & { readonly reads: () => number }
}
