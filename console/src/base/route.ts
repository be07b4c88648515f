import { signal } from '@preact/signals'
import { type Query, withQuery } from './query.ts'

/** Where the page is: the parts of the hash `#/a/b?c=d`. */
export interface Route {
  readonly path: readonly string[]
  readonly query: URLSearchParams
  /** Whether the user came here by a link, so that the focus moves to the new page. */
  readonly isVisit: boolean
}

export const route = signal(read(false))

/** Makes the address of a page. */
export function link(path: readonly string[], query: Query = {}): string {
  return withQuery(`#/${path.map(encodeURIComponent).join('/')}`, query)
}

/** Finds the page of a name, which somebody may have typed. */
export function pageNamed<Page>(pages: Readonly<Record<string, Page>>, name: string): Page | undefined {
  return Object.hasOwn(pages, name) ? pages[name] : undefined
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
