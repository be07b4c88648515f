import { Component } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { formatClock, formatCount } from '../../base/format.ts'
import { html, type View } from '../../base/html.ts'
import { link } from '../../base/route.ts'
import { Section } from '../../parts/page.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { type Feed, type FeedRow, startFeed } from '../../service/feed.ts'
import type { Connection } from '../../service/follow.ts'
import type { SpaceProps } from './space-props.ts'

/** The writes of the space, as they happen. */
export function Live({ space, home }: SpaceProps): View {
  const feed = useMemo(() => startFeed(space), [space])
  useEffect(() => feed.stop, [feed])
  /** The rows of the moment at which somebody paused the feed. */
  const [paused, setPaused] = useState<readonly FeedRow[] | null>(null)
  const toggle = () => setPaused(paused ? null : feed.rows.peek())
  const connection = feed.connection.value
  const tools = html`
    <${State} connection=${connection} isPaused=${paused !== null} />
    <${Total} feed=${feed} />
    <button type="button" onClick=${toggle}>${paused ? 'Go on' : 'Pause'}</button>
  `
  return html`
    <${Section} title="Writes from now on" tools=${tools}>
      ${connection.state === 'refused' && html`<${ProblemBlock} error=${connection.error} />`}
      <${Rows} feed=${feed} paused=${paused} home=${home} />
    <//>
  `
}

const STATES = {
  connecting: ['dot', 'Connecting'],
  open: ['dot good', 'Live'],
  waiting: ['dot warn', 'Reconnecting'],
  refused: ['dot bad', 'Not connected'],
} as const

interface StateProps {
  readonly connection: Connection
  readonly isPaused: boolean
}

function State({ connection, isPaused }: StateProps): View {
  const [dot, word] = isPaused ? ['dot', 'Paused'] : STATES[connection.state]
  const reason = connection.state === 'waiting' && connection.reason ? `: ${connection.reason}` : ''
  return html`<span role="status"><span class=${dot}></span> ${word}${reason}</span>`
}

/** A component of its own, so that each write draws as little as possible again. */
function Total({ feed }: { readonly feed: Feed }): View {
  return html`<span class="muted">${formatCount(feed.total.value)} writes</span>`
}

interface RowsProps {
  readonly feed: Feed
  readonly paused: readonly FeedRow[] | null
  readonly home: readonly string[]
}

function Rows({ feed, paused, home }: RowsProps): View {
  const shown = paused ?? feed.rows.value
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Writes, the newest first">
      ${shown.length === 0 && html`<p class="empty">Nothing was written since you came here. Each write appears here at once.</p>`}
      <table class="feed" hidden=${shown.length === 0}>
        <thead><tr><th scope="col">Time</th><th scope="col">Key</th><th scope="col">By</th><th scope="col">Outcome</th></tr></thead>
        <tbody>${shown.map((row) => html`<${Row} key=${row.version} row=${row} home=${home} />`)}</tbody>
      </table>
    </div>
  `
}

interface RowProps {
  readonly row: FeedRow
  readonly home: readonly string[]
}

/** A row is drawn again only if it has changed, because most rows of a feed only move. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate({ row }: RowProps): boolean {
    return row !== this.props.row
  }

  override render({ row, home }: RowProps): View {
    const { key, by, timestamp, outcome, isConflict } = row
    return html`
      <tr class=${isConflict ? 'clash' : undefined}>
        <td>${formatClock(timestamp)}</td>
        <th scope="row"><a href=${link([...home, 'keys', key])}>${key}</a></th>
        <td>${by}</td>
        <td>${outcome === 'open conflict' ? html`<a href=${link([...home, 'conflicts'])}>${outcome}</a>` : outcome}</td>
      </tr>
    `
  }
}
