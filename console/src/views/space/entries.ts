import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import { withQuery } from '../../base/query.ts'
import { link, route, visit } from '../../base/route.ts'
import type { EntriesReply, Entry } from '../../base/wire.ts'
import { submitting, TextField } from '../../forms/field.ts'
import { List } from '../../parts/list.ts'
import { useReply } from '../../parts/load.ts'
import { Section } from '../../parts/page.ts'
import type { Column } from '../../parts/table.ts'
import { Time } from '../../parts/time.ts'
import type { SpaceProps } from './space-props.ts'

const PAGE = 100
/** How much of a value a list shows. */
const SHOWN_CHARACTERS = 160

/** The entries of the space, in the order of their keys. */
export function Entries({ space, home }: SpaceProps): View {
  const { query } = route.value
  const prefix = query.get('prefix') ?? ''
  const after = query.get('after')
  const load = useReply<EntriesReply>(withQuery('/api/entries', { prefix, after, limit: PAGE }), { space })
  return html`
    <${Section} title=${prefix ? html`Entries that begin with <code>${prefix}</code>` : 'Entries'}>
      <${Search} key=${prefix} prefix=${prefix} home=${home} />
      <${List} load=${load} pick=${({ entries }: EntriesReply) => entries} caption="Entries" columns=${columnsOf(home)} keyOf=${({ key }: Entry) => key}>
        No entries here. Deleted keys are not listed.
      <//>
    <//>
  `
}

function columnsOf(home: readonly string[]): readonly Column<Entry>[] {
  return [
    { title: 'Key', show: ({ key }) => html`<a class="key" href=${link([...home, 'keys', key])}>${key}</a>` },
    { title: 'Value', show: ({ value }) => html`<code class="excerpt">${excerptOf(value)}</code>` },
    { title: 'Written', show: ({ timestamp }) => html`<${Time} at=${timestamp} />` },
    { title: 'By', show: ({ by }) => by },
  ]
}

function excerptOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

interface SearchProps {
  readonly prefix: string
  readonly home: readonly string[]
}

function Search({ prefix, home }: SearchProps): View {
  const [text, setText] = useState(prefix)
  const show = () => visit(link([...home, 'entries'], { prefix: text || null }))
  return html`
    <form class="row" role="search" onSubmit=${submitting(show)}>
      <${TextField} label="Key begins with" hint="As in notes/ for a collection." type="search" text=${text} onText=${setText} />
      <button>Show</button>
      ${text !== '' && html`<a class="button" href=${link([...home, 'keys', text])}>Open this key</a>`}
    </form>
  `
}
