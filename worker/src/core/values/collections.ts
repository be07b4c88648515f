import { collectionOf } from './key.ts'

/** The collections that a reader may see or asked for; null for all. */
export type Filter = readonly string[] | null

/** The collections that both the request's filter and the token's grant allow. */
export function narrow(asked: Filter, granted: Filter): Filter {
  if (asked === null || granted === null) return asked ?? granted
  return asked.filter((collection) => granted.includes(collection))
}

export function allows(filter: Filter, key: string): boolean {
  return filter === null || filter.includes(collectionOf(key))
}
