import { useEffect, useState } from 'preact/hooks'
import { formatBytes, formatCount } from '../base/format.ts'
import { html, type View } from '../base/html.ts'
import { withQuery } from '../base/query.ts'
import { amend, link, route } from '../base/route.ts'
import type { ListedSpace, SpacesReply } from '../base/wire.ts'
import { TextField } from '../forms/field.ts'
import { Amount } from '../parts/amount.ts'
import { List } from '../parts/list.ts'
import { useReply } from '../parts/load.ts'
import { Page } from '../parts/page.ts'
import type { Column } from '../parts/table.ts'
import { Age } from '../parts/time.ts'

const PAGE = 100
/** How long nobody types before the list is searched, ms. */
const TYPING_MS = 250

const ORDERS = [
  ['name', 'By name'],
  ['size', 'Largest first'],
  ['age', 'Longest without a sync first'],
  ['conflicts', 'Most open conflicts first'],
] as const

const COLUMNS: readonly Column<ListedSpace>[] = [
  { title: 'Space', show: ({ space }) => html`<a href=${link(['space', space])}>${space}</a>` },
  {
    title: 'Entries',
    show: ({ entries, quota }) =>
      html`<${Amount} used=${entries} limit=${quota.entries} label="Entries" format=${formatCount} />`,
  },
  {
    title: 'Storage',
    show: ({ bytes, quota }) =>
      html`<${Amount} used=${bytes} limit=${quota.bytes} label="Storage" format=${formatBytes} />`,
  },
  {
    title: 'Open conflicts',
    isNumber: true,
    show: ({ space, openConflicts }) =>
      openConflicts === 0
        ? html`<span class="muted">0</span>`
        : html`<a href=${link(['space', space, 'conflicts'])}>${formatCount(openConflicts)}</a>`,
  },
  { title: 'Devices', isNumber: true, show: ({ devices }) => formatCount(devices) },
  { title: 'Last sync', show: ({ lastSync }) => html`<${Age} at=${lastSync} />` },
  {
    title: 'Reported',
    show: ({ reportedAt, upkeepFailures }) => html`
      <${Age} at=${reportedAt} />
      ${upkeepFailures > 0 && html` <span class="tag bad">upkeep fails</span>`}
    `,
  },
]

/** All spaces that have ever reported, a page at a time. */
export function Spaces(): View {
  const { query } = route.value
  const order = ORDERS.find(([name]) => name === query.get('order'))?.[0] ?? 'name'
  const prefix = query.get('prefix') ?? ''
  const after = query.get('after')
  const load = useReply<SpacesReply>(withQuery('/api/spaces', { order, prefix, after, limit: PAGE }))
  return html`
    <${Page} title="Spaces" actions=${html`<a class="button" href=${link(['import'])}>Import</a>`}>
      <div class="tools">
        <${Search} prefix=${prefix} />
        <nav class="ways" aria-label="Order of the list">
          ${ORDERS.map(
            ([name, title]) => html`
              <a key=${name} href=${link(['spaces'], { order: name })} aria-current=${name === order ? 'true' : undefined}>${title}</a>
            `,
          )}
        </nav>
      </div>
      <${List} load=${load} pick=${({ spaces }: SpacesReply) => spaces} caption="Spaces" columns=${COLUMNS} keyOf=${keyOf}>
        ${prefix ? `No space begins with “${prefix}”. Upper and lower case count.` : 'A space appears here a few seconds after its first write.'}
      <//>
    <//>
  `
}

function keyOf({ space }: ListedSpace): string {
  return space
}

/** Finds spaces by the beginning of their names, while somebody types. */
function Search({ prefix }: { readonly prefix: string }): View {
  const [text, setText] = useState(prefix)
  useEffect(() => setText(prefix), [prefix])
  useEffect(() => {
    if (text === prefix) return
    const timer = setTimeout(() => amend(link(['spaces'], { prefix: text || null })), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return html`<${TextField} label="Name begins with" type="search" text=${text} onText=${setText} />`
}
