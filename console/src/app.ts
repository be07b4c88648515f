import { useEffect } from 'preact/hooks'
import { html, type View } from './base/html.ts'
import { link, pageNamed, type Route, route } from './base/route.ts'
import { Notices } from './parts/notice.ts'
import { adminToken, signOut } from './service/operator.ts'
import { Audit } from './views/audit.ts'
import { Config } from './views/config/config.ts'
import { Import } from './views/import.ts'
import { NotFound } from './views/not-found.ts'
import { Overview } from './views/overview.ts'
import { SignIn } from './views/sign-in.ts'
import { SpacePages } from './views/space/space-pages.ts'
import { Spaces } from './views/spaces.ts'
import { Tokens } from './views/tokens/tokens.ts'

/** Pages of the operator, by the first part of their address. */
const PAGES: Readonly<Record<string, readonly [title: string, page: () => View]>> = {
  '': ['Overview', Overview],
  spaces: ['Spaces', Spaces],
  tokens: ['Tokens', Tokens],
  config: ['Configuration', Config],
  audit: ['Audit', Audit],
}

/** Pages that the pages of spaces lead to, and no page of the navigation is. */
const OF_SPACES = ['space', 'import']

/** The console: the page that the address names, or the sign-in. */
export function App(): View {
  const { value: here } = route
  const isSignedIn = adminToken.value !== null
  useEffect(() => arrive(here), [here, isSignedIn])
  if (!isSignedIn) return html`<main id="main" class="alone"><${SignIn} /></main>`
  const isUser = here.path[0] === 'user'
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <div class=${isUser ? 'shell as-user' : 'shell'}>
      ${!isUser && html`<${Navigation} first=${here.path[0] ?? ''} />`}
      <main id="main" tabindex="-1">${pageOf(here)}</main>
    </div>
    <${Notices} />
  `
}

function Navigation({ first }: { readonly first: string }): View {
  const current = OF_SPACES.includes(first) ? 'spaces' : first
  return html`
    <header class="side">
      <p class="brand">Chronicle<span>Sync</span></p>
      <nav aria-label="Console">
        ${Object.entries(PAGES).map(
          ([name, [title]]) => html`
            <a key=${name} href=${link(name ? [name] : [])} aria-current=${name === current ? 'page' : undefined}>${title}</a>
          `,
        )}
      </nav>
      <button type="button" class="quiet" onClick=${() => signOut()}>Sign out</button>
    </header>
  `
}

function pageOf({ path }: Route): View {
  const [first = '', space, ...rest] = path
  if ((first === 'space' || first === 'user') && space !== undefined)
    return html`<${SpacePages} key=${`${first}/${space}`} space=${space} rest=${rest} isUser=${first === 'user'} />`
  const [, Known] = first === 'import' ? ['', Import] : (pageNamed(PAGES, first) ?? [])
  return Known ? html`<${Known} />` : html`<${NotFound} />`
}

/** Names the window after the page. After a navigation it also moves the focus to the heading. */
function arrive({ isVisit }: Route): void {
  const heading = document.querySelector<HTMLElement>('h1')
  document.title = `${heading?.textContent ?? 'Console'} – ChronicleSync`
  if (!isVisit || adminToken.value === null) return
  heading?.focus({ preventScroll: true })
  scrollTo(0, 0)
}

/** The address must stay what it is, so a script moves the focus. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
