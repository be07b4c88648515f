import { useState } from 'preact/hooks'
import { formatCount, formatSkew } from '../../base/format.ts'
import { html, type View } from '../../base/html.ts'
import { withQuery } from '../../base/query.ts'
import { link, route } from '../../base/route.ts'
import type { Device, DevicesReply } from '../../base/wire.ts'
import { List } from '../../parts/list.ts'
import { useReply } from '../../parts/load.ts'
import { tell } from '../../parts/notice.ts'
import { Section } from '../../parts/page.ts'
import type { Column } from '../../parts/table.ts'
import { Age } from '../../parts/time.ts'
import { EndSessions } from './end-sessions.ts'
import type { SpaceProps } from './space-props.ts'

/** The subject of an operator's session begins like this. It ends by itself within minutes. */
const OPERATOR = 'operator:'

/** How often the list is read again, ms. */
const AGAIN_MS = 10_000

/** The devices of the space, and where each stands. */
export function Devices({ space, isUser }: SpaceProps): View {
  const [ending, setEnding] = useState<Device>()
  const after = route.value.query.get('after')
  const load = useReply<DevicesReply>(withQuery('/api/clients', { after }), { space, everyMs: AGAIN_MS })
  const finish = () => {
    setEnding(undefined)
    tell('The sessions have ended.')
    load.reload()
  }
  return html`
    <${Section} title="Devices">
      ${ending && html`<${EndSessions} space=${space} device=${ending} onClose=${() => setEnding(undefined)} onEnded=${finish} />`}
      <${List} load=${load} pick=${({ clients }: DevicesReply) => clients} caption="Devices" keyOf=${({ clientId }: Device) => clientId}
        columns=${isUser ? COLUMNS : [...COLUMNS, actsOf(setEnding)]}>
        No client has read or written this space.
      <//>
    <//>
  `
}

const COLUMNS: readonly Column<Device>[] = [
  {
    title: 'Client',
    show: ({ clientId, connected }) => html`
      <span class=${connected ? 'dot good' : 'dot'}></span>
      <code>${clientId}</code>
      <span class="unseen">${connected ? 'follows on a socket' : 'has no socket open'}</span>
    `,
  },
  { title: 'Subject', show: ({ subject }) => subject },
  {
    title: 'Last batch',
    show: ({ lastBatch, batchAt }) => html`
      <${Age} at=${batchAt} /> ${lastBatch ? html`<span class="muted">number ${formatCount(lastBatch)}</span>` : null}
    `,
  },
  {
    title: 'Stands at',
    show: ({ position }) => (position === null ? '–' : html`<code class="whole">${position}</code>`),
  },
  {
    title: 'Behind',
    show: ({ behind, behindSince }) =>
      behind === 0
        ? html`<span class="muted">up to date</span>`
        : html`${formatCount(behind)} ${behindSince !== null && html`<span class="muted">since <${Age} at=${behindSince} /></span>`}`,
  },
  { title: 'Last read', show: ({ seenAt }) => html`<${Age} at=${seenAt} />` },
  { title: 'Clock', show: ({ skew }) => (skew === null ? '–' : formatSkew(skew)) },
  { title: 'Version', show: ({ version }) => html`<span class="version">${version ?? '–'}</span>` },
]

function actsOf(onEnd: (device: Device) => void): Column<Device> {
  return {
    title: 'Acts',
    show: (device) =>
      device.subject.startsWith(OPERATOR)
        ? null
        : isOfProvider(device)
          ? html`<button type="button" class="danger" aria-label=${`End the sessions of ${device.subject}`} onClick=${() => onEnd(device)}>End sessions</button>`
          : html`<a href=${link(['tokens'])}>Revoke its token</a>`,
  }
}

/** Only the sessions of an identity provider's subject can be ended at once. Those of an API token end with the token. */
function isOfProvider({ subject }: Device): boolean {
  return subject.includes('#sub=')
}
