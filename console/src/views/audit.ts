import { shorten } from '../base/format.ts'
import { html, type View } from '../base/html.ts'
import { withQuery } from '../base/query.ts'
import { link, route } from '../base/route.ts'
import type { AuditRecord, AuditReply } from '../base/wire.ts'
import { List } from '../parts/list.ts'
import { useReply } from '../parts/load.ts'
import { Page } from '../parts/page.ts'
import type { Column } from '../parts/table.ts'
import { Time } from '../parts/time.ts'

/** The first status of a refusal. */
const REFUSED = 400

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: 'Time', show: ({ at }) => html`<${Time} at=${at} />` },
  { title: 'Act', show: ({ act }) => html`<code class="whole">${act}</code>` },
  {
    title: 'Outcome',
    show: ({ status }) => html`<span class=${status >= REFUSED ? 'tag bad' : 'tag'}>${status}</span>`,
  },
  { title: 'Target', show: ({ target }) => html`<${Target} target=${target} />` },
  {
    title: 'By',
    show: ({ admin, address }) =>
      html`<code>${admin}</code>${address && html` <span class="muted">from ${address}</span>`}`,
  },
  {
    title: 'Request',
    show: ({ requestId }) => html`<code class="whole" title=${requestId}>${shorten(requestId)}</code>`,
  },
]

/** The acts of operators, for 400 days. */
export function Audit(): View {
  const cursor = route.value.query.get('cursor')
  const load = useReply<AuditReply>(withQuery('/api/audit', { cursor }))
  const reload = html`<button type="button" onClick=${load.reload}>Read again</button>`
  return html`
    <${Page} title="Audit" actions=${reload}>
      <p class="muted">Every act that may change something, and every look into a space. New records appear within a minute.</p>
      <${List} load=${load} pick=${({ records }: AuditReply) => records} caption="Audit records, the newest first" columns=${COLUMNS} keyOf=${keyOf} parameter="cursor">
        Nothing was changed within 400 days.
      <//>
    <//>
  `
}

function keyOf({ at, requestId }: AuditRecord): string {
  return `${at} ${requestId}`
}

function Target({ target }: Pick<AuditRecord, 'target'>): View {
  const { space, scopes, ...others } = target
  return html`
    <span class="target">
      ${space !== undefined && html`<span>space <a href=${link(['space', space])}>${space}</a></span>`}
      ${Object.entries(others).map(
        ([name, value]) =>
          html`<span key=${name}>${name} <code class="whole" title=${value}>${shorten(String(value))}</code></span>`,
      )}
      ${scopes && html`<span>scopes <code>${scopes.join(' ')}</code></span>`}
    </span>
  `
}
