import { useEffect, useRef, useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import { link, route } from '../../base/route.ts'
import type { Conflict, ConflictsReply } from '../../base/wire.ts'
import { Loaded, useLoad } from '../../parts/load.ts'
import { Section } from '../../parts/page.ts'
import { Pager } from '../../parts/pager.ts'
import { listConflicts } from '../../service/conflicts.ts'
import { ConflictView } from './conflict.ts'
import { Legend, press, type Shortcuts } from './shortcuts.ts'
import type { SpaceProps } from './space-props.ts'

const PAGE = 50
const NONE = 'No two writes have met, or their versions are no longer kept.'
const NONE_OPEN =
  'No open conflicts. Only the policy manual leaves conflicts open. The settled ones are under “All”.'

/** The conflicts of the space, the open ones first. */
export function Conflicts(props: SpaceProps): View {
  const { space, home } = props
  const { query } = route.value
  const isAll = query.has('all')
  const after = query.get('after')
  const wanted = {
    limit: PAGE,
    ...(after !== null && { after: Number(after) }),
    ...(!isAll && ({ open: '1' } as const)),
  }
  const load = useLoad(() => listConflicts(space, wanted), { deps: [isAll, after] })
  const path = [...home, 'conflicts']
  const decided = useRef(false)
  // The conflict that had the focus has left the list.
  useEffect(() => {
    const chosen = document.querySelector<HTMLElement>('.picks [aria-pressed=true]')
    if (decided.current) (chosen ?? document.querySelector('h1'))?.focus()
    decided.current = false
  }, [load.value])
  const finish = () => {
    decided.current = true
    load.reload()
  }
  const ways = html`
    <nav class="ways" aria-label="Which conflicts">
      <a href=${link(path)} aria-current=${isAll ? undefined : 'true'}>Open</a>
      <a href=${link(path, { all: '1' })} aria-current=${isAll ? 'true' : undefined}>All, the oldest first</a>
    </nav>
  `
  return html`
    <${Section} title="Conflicts" tools=${ways}>
      <${Loaded} load=${load}>${({ conflicts, next }: ConflictsReply) => html`
        ${conflicts.length === 0 && html`<p class="empty">${isAll ? NONE : NONE_OPEN}</p>`}
        ${conflicts.length > 0 && html`<${Review} key=${`${isAll} ${after}`} conflicts=${conflicts} onDecided=${finish} ...${props} />`}
        <${Pager} name="after" next=${next === null ? null : String(next)} />
      `}<//>
    <//>
  `
}

interface ReviewProps extends SpaceProps {
  readonly conflicts: readonly Conflict[]
  readonly onDecided: () => void
}

/** A list of conflicts beside the chosen one. Its keys work wherever the focus is in here. */
function Review({ conflicts, onDecided, ...props }: ReviewProps): View {
  const [index, setIndex] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const shortcuts = useRef<Shortcuts>(new Map()).current
  const shown = Math.min(index, conflicts.length - 1)
  const conflict = conflicts[shown]
  const choose = (next: number) => {
    const bounded = Math.max(0, Math.min(next, conflicts.length - 1))
    setIndex(bounded)
    list.current?.querySelectorAll('button')[bounded]?.focus()
  }
  shortcuts.set('j', () => choose(shown + 1)).set('k', () => choose(shown - 1))
  return html`
    <${Legend} />
    <div class="review" onKeyDown=${(event: KeyboardEvent) => press(event, shortcuts)}>
      <ul ref=${list} class="picks" aria-label="Conflicts">
        ${conflicts.map(
          ({ id, key, resolution }, position) => html`
            <li key=${id}>
              <button type="button" aria-pressed=${position === shown} onClick=${() => choose(position)}>
                <span class="key">${key}</span>
                <span class=${resolution === 'open' ? 'tag warn' : 'tag'}>${resolution}</span>
              </button>
            </li>
          `,
        )}
      </ul>
      ${conflict && html`<${ConflictView} key=${conflict.id} listed=${conflict} shortcuts=${shortcuts} onDecided=${onDecided} ...${props} />`}
    </div>
  `
}
