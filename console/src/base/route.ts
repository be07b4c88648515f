import { signal } from '@preact/signals'

/** Where the page is: the parts of the hash `#/a/b?c=d`. */
export interface Route {
  readonly path: readonly string[]
  readonly query: URLSearchParams
  /** Whether the user came here by a link, so that the focus moves to the new page. */
  readonly isVisit: boolean
}

type Query = Readonly<Record<string, string | null | undefined>>

export const route = signal(read(false))

/** Makes the address of a page. Parameters without a value are left out. */
export function link(path: readonly string[], query: Query = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]))
  const text = new URLSearchParams(given).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${text && `?${text}`}`
}

/** Goes to a page, as a link does. */
export function visit(href: string): void {
  location.hash = href
}

/** Changes the address of this page, without a step in the history and without moving the focus. */
export function amend(href: string): void {
  history.replaceState(null, '', href)
  route.value = read(false)
}

/** Follows the address. */
export function startRouting(): void {
  addEventListener('hashchange', () => {
    route.value = read(true)
  })
  route.value = read(false)
}

function read(isVisit: boolean): Route {
  const [path = '', query] = location.hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query), isVisit }
}

/** An address that somebody typed may be malformed. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
