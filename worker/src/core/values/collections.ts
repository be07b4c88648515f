import { collectionOf } from './key.ts'

/** The collections a reader may see and asked for; null is all of them. */
export type Filter = readonly string[] | null

/** What both the request's filter and the token's grant let through. */
export function narrow(asked: Filter, granted: Filter): Filter {
  if (asked === null || granted === null) return asked ?? granted
  return asked.filter((collection) => granted.includes(collection))
}

export function allows(filter: Filter, key: string): boolean {
  return filter === null || filter.includes(collectionOf(key))
}
