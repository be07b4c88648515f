export type Query = Readonly<Record<string, string | number | null | undefined>>

/** Adds parameters to an address. Those that are null or undefined are left out. */
export function withQuery(address: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  const text = String(new URLSearchParams(given.map(([name, value]) => [name, String(value)])))
  return text ? `${address}?${text}` : address
}
