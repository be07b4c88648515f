import { formatBytes, formatCount } from '../../base/format.ts'
import { html, type View } from '../../base/html.ts'
import { link, pageNamed } from '../../base/route.ts'
import type { Status } from '../../base/wire.ts'
import { Amount } from '../../parts/amount.ts'
import { Loaded, useReply } from '../../parts/load.ts'
import { Facts } from '../../parts/page.ts'
import { Age } from '../../parts/time.ts'
import { NotFound } from '../not-found.ts'
import { Conflicts } from './conflicts.ts'
import { Devices } from './devices.ts'
import { Entries } from './entries.ts'
import { Key } from './key.ts'
import { Live } from './live.ts'
import type { SpaceProps } from './space-props.ts'
import { Transfer } from './transfer.ts'

/** How often the state of the space is read again, ms. */
const STATUS_MS = 5_000

/** Pages of a space, by the part of their address after its name. */
const PAGES: Readonly<Record<string, readonly [title: string, page: (props: SpaceProps) => View]>> = {
  '': ['Live', Live],
  entries: ['Entries', Entries],
  conflicts: ['Conflicts', Conflicts],
  devices: ['Devices', Devices],
  transfer: ['Export, erase', Transfer],
}

interface SpacePagesProps {
  readonly space: string
  readonly rest: readonly string[]
  readonly isUser: boolean
}

/** One space. */
export function SpacePages({ space, rest: [name = '', key], isUser }: SpacePagesProps): View {
  const load = useReply<Status>('/api/status', { space, everyMs: STATUS_MS })
  const isImporting = load.error?.code === 'importing'
  const isAbsent = load.value === undefined && load.error !== undefined && !isImporting
  const home = [isUser ? 'user' : 'space', space]
  const status = isImporting ? undefined : load.value
  const props = { space, isUser, home, status, onActed: load.reload }
  const isKey = name === 'keys' && key !== undefined
  const [title, Known] = isKey ? [key, undefined] : (pageNamed(PAGES, name) ?? [])
  if (title === undefined || (isUser && name === 'transfer')) return html`<${NotFound} />`
  return html`
    ${isUser && html`<${Banner} space=${space} />`}
    ${!isUser && html`<nav class="crumbs" aria-label="Where this page is"><a href=${link(['spaces'])}>Spaces</a></nav>`}
    <header class="page-head">
      <h1 tabindex="-1">${space} <span class="unseen">${title}</span></h1>
      ${!isUser && !isAbsent && html`<a class="button" href=${link(['user', space])}>See as a user</a>`}
    </header>
    ${
      isImporting
        ? html`<${Importing} ...${props} />`
        : html`<${Loaded} load=${load}>${(status: Status) => html`<${State} status=${status} />`}<//>`
    }
    ${!isAbsent && html`<${Tabs} current=${isKey ? 'entries' : name} ...${props} />`}
    ${(status || (isImporting && name === 'transfer')) && (Known ? html`<${Known} ...${props} />` : html`<${Key} key=${key} name=${key} ...${props} />`)}
  `
}

function Banner({ space }: { readonly space: string }): View {
  return html`
    <div class="banner" role="note">
      <p>You see <strong>${space}</strong> as its user does. This session only reads, and is in the audit.</p>
      <a class="button" href=${link(['space', space])}>Leave</a>
    </div>
  `
}

/** Says why nobody can read a space that an import has begun to fill, and how that ends. */
function Importing({ space, isUser, home }: SpaceProps): View {
  return html`
    <div class="problem" role="alert">
      <p><strong>An import into this space is not finished.</strong> Until its last line has arrived, nobody can read or
        write the space.</p>
      ${
        !isUser &&
        html`<p>If it does not run any more, it broke off, or its file was cut. <a href=${link(['import'], { space })}>Import the
        whole file again</a>, which continues it, or <a href=${link([...home, 'transfer'])}>erase the space</a>.</p>`
      }
    </div>
  `
}

function State({ status }: { readonly status: Status }): View {
  const { quota, head, floor, epoch, entries, lastSync, lastUpkeep, openConflicts } = status
  return html`
    <${Facts} facts=${[
      [
        'Entries',
        quota
          ? html`<${Amount} used=${quota.entries.used} limit=${quota.entries.limit} label="Entries" format=${formatCount} />`
          : formatCount(entries ?? 0),
      ],
      [
        'Storage',
        quota &&
          html`<${Amount} used=${quota.bytes.used} limit=${quota.bytes.limit} label="Storage" format=${formatBytes} />`,
      ],
      ['Open conflicts', formatCount(openConflicts ?? 0)],
      ['Last sync', html`<${Age} at=${lastSync} />`],
      ['Head', html`<code>${head}</code>`],
      ['Floor', html`<code>${floor}</code>`],
      ['Epoch', html`<code>${epoch}</code>`],
      ['Last upkeep', html`<${Age} at=${lastUpkeep} />`],
    ]} />
  `
}

function Tabs({ current, home, isUser }: SpaceProps & { readonly current: string }): View {
  return html`
    <nav class="tabs" aria-label="The space">
      ${Object.entries(PAGES)
        .filter(([name]) => !isUser || name !== 'transfer')
        .map(
          ([name, [title]]) => html`
            <a key=${name} href=${link(name ? [...home, name] : home)} aria-current=${name === current ? 'page' : undefined}>${title}</a>
          `,
        )}
    </nav>
  `
}
