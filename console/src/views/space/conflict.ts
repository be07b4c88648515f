import { differences, printed } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import { link } from '../../base/route.ts'
import type { Conflict, ConflictSide, Entry } from '../../base/wire.ts'
import { DifferenceTable } from '../../parts/difference-table.ts'
import { Loaded, useLoad } from '../../parts/load.ts'
import { Time } from '../../parts/time.ts'
import { readSurroundings, type Surroundings } from '../../service/conflicts.ts'
import { Decision } from './decision.ts'
import type { Shortcuts } from './shortcuts.ts'
import type { SpaceProps } from './space-props.ts'
import { contentOf } from './version.ts'

interface ConflictViewProps extends SpaceProps {
  /** The conflict as the list has it. */
  readonly listed: Conflict
  readonly shortcuts: Shortcuts
  readonly onDecided: () => void
}

const RESOLUTIONS = {
  'kept-server': 'the version that was there has stayed',
  'kept-client': 'the change that was sent has taken its place',
  merged: 'both were merged',
  open: 'it waits for a decision',
  resolved: 'somebody has decided',
} as const

/** One conflict: both sides beside what they began from. */
export function ConflictView({ space, isUser, home, listed, shortcuts, onDecided }: ConflictViewProps): View {
  const { id, key, policy, resolution, resolvedBy } = listed
  const load = useLoad(() => readSurroundings(space, listed), { deps: [listed.resolution] })
  const path = [...home, 'keys', key]
  return html`
    <article aria-labelledby="conflict">
      <h3 id="conflict"><a class="key" href=${link(path)}>${key}</a></h3>
      <p class="muted">Conflict ${id}, policy <code>${policy}</code>: ${RESOLUTIONS[resolution]}${resolvedBy && html` with <code>${resolvedBy}</code>`}.</p>
      <${Loaded} load=${load}>${(around: Surroundings) => html`
        <${Sides} ...${around} />
        <${Newer} path=${path} ...${around} />
        ${
          resolution === 'open' &&
          !isUser &&
          html`<${Decision} space=${space} around=${around} shortcuts=${shortcuts} onDecided=${onDecided} onStale=${load.reload} />`
        }
      `}<//>
    </article>
  `
}

/** The fields in which the sides differ, and all values in full. */
function Sides({ conflict: { winner, loser }, base }: Surroundings): View {
  const values = [
    { name: 'Winner', origin: originOf(winner), content: sideOf(winner) },
    { name: 'Base', origin: base ? originOf(base) : 'not kept', content: base && contentOf(base) },
    { name: 'Loser', origin: originOf(loser), content: sideOf(loser) },
  ]
  const [won, began, lost] = values.map(({ content }) => content)
  const changes = base
    ? differences(began, won, lost).map(({ pointer, contents: [b, w, l] }) => ({
        pointer,
        contents: [w, b, l],
      }))
    : differences(won, lost).map(({ pointer, contents: [w, l] }) => ({
        pointer,
        contents: [w, undefined, l],
      }))
  return html`
    <${DifferenceTable} caption="What differs" values=${values} differences=${changes} origin=${base && 1} />
    ${changes.length === 0 && html`<p class="muted">Both sides have the same content.</p>`}
    <details>
      <summary>Whole values</summary>
      <div class="grid wholes">
        ${values.map(
          ({ name, content }) => html`
            <div key=${name}><h4>${name}</h4><pre tabindex="0">${printed(content) || 'none'}</pre></div>
          `,
        )}
      </div>
    </details>
  `
}

/** Says that somebody has written the key since. */
function Newer({
  conflict: { winner, resolution },
  current,
  path,
}: Surroundings & { readonly path: readonly string[] }): View {
  if (current?.version === winner.version || (current === undefined && winner.deleted)) return null
  return html`
    <p class="reason">
      ${current ? html`The current version is <code>${current.version}</code>, by <bdi>${current.by}</bdi>` : 'The entry has been deleted'}:
      newer than the winner. <a href=${link(path)}>See its history</a>${resolution === 'open' && ' before you decide'}.
    </p>
  `
}

function originOf(side: ConflictSide | Entry): View {
  const { version, by, timestamp } = { by: undefined, timestamp: undefined, ...side }
  if (by === undefined || timestamp === undefined) return version ?? 'a deletion that is no longer kept'
  return html`by <bdi>${by}</bdi>, <${Time} at=${timestamp} />`
}

function sideOf(side: ConflictSide): unknown {
  return 'value' in side ? contentOf(side) : undefined
}
