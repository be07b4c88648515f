import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
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
  const { space, home, status, onActed } = props
  const { query } = route.value
  const isAll = query.has('all')
  const after = query.get('after')
  const key = query.get('key')
  const shown = String(query)
  const read = async (signal: AbortSignal): Promise<Listed> => {
    // A page shows only the conflicts of the key among those that it has looked through.
    for (let from = after; ; ) {
      const page = await listConflicts(
        space,
        { limit: PAGE, after: from, key, open: isAll ? null : '1' },
        signal,
      )
      if (page.conflicts.length > 0 || page.next === null) return { ...page, shown }
      from = String(page.next)
    }
  }
  const load = useLoad(read, { deps: [shown, status?.head, status?.openConflicts] })
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
    onActed()
  }
  const ways = html`
    <nav class="ways" aria-label="Which conflicts">
      <a href=${link(path, { key })} aria-current=${isAll ? undefined : 'true'}>Open</a>
      <a href=${link(path, { key, all: '1' })} aria-current=${isAll ? 'true' : undefined}>All, the oldest first</a>
      ${key !== null && html`<a href=${link(path, { all: query.get('all') })}>Those of all keys</a>`}
    </nav>
  `
  return html`
    <${Section} title=${key === null ? 'Conflicts' : html`Conflicts of <code>${key}</code>`} tools=${ways}>
      <${Loaded} load=${load}>${({ conflicts, next, shown }: Listed) => html`
        <${Review} key=${shown} conflicts=${conflicts} none=${isAll ? NONE : NONE_OPEN} onDecided=${finish} ...${props} />
        <${Pager} name="after" next=${next === null ? null : String(next)} />
      `}<//>
    <//>
  `
}

/** A page of conflicts, with the query that it answers. */
interface Listed extends ConflictsReply {
  readonly shown: string
}

interface ReviewProps extends SpaceProps {
  readonly conflicts: readonly Conflict[]
  /** Stands in place of the list if there are no conflicts. */
  readonly none: string
  readonly onDecided: () => void
}

/** A list of conflicts beside the chosen one. Its keys work wherever the focus is in here. */
function Review({ conflicts, none, onDecided, ...props }: ReviewProps): View {
  const [chosen, setChosen] = useState(conflicts[0])
  const list = useRef<HTMLUListElement>(null)
  const shortcuts = useRef<Shortcuts>(new Map()).current
  /** The conflict that was decided here. One that somebody else has decided stays, because an edit may be under way. */
  const decided = useRef<Conflict>(undefined)
  const isGone = chosen && !conflicts.some(({ id }) => id === chosen.id)
  const rows =
    isGone && chosen.id !== decided.current?.id
      ? [...conflicts, chosen].toSorted((one, other) => one.id - other.id)
      : conflicts
  const next = rows.findIndex(({ id }) => id >= (chosen?.id ?? 0))
  const shown = next < 0 ? rows.length - 1 : next
  const conflict = rows[shown]
  // Before anything else happens: a later effect could undo the next choice.
  useLayoutEffect(() => setChosen(conflict), [conflict?.id])
  const choose = (index: number) => {
    const bounded = Math.max(0, Math.min(index, rows.length - 1))
    setChosen(rows[bounded])
    list.current?.querySelectorAll('button')[bounded]?.focus()
  }
  const finish = () => {
    decided.current = conflict
    onDecided()
  }
  shortcuts.set('j', () => choose(shown + 1)).set('k', () => choose(shown - 1))
  if (!conflict) return html`<p class="empty">${none}</p>`
  return html`
    <${Legend} />
    <div class="review" onKeyDown=${(event: KeyboardEvent) => press(event, shortcuts)}>
      <ul ref=${list} class="picks" aria-label="Conflicts">
        ${rows.map(
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
      <${ConflictView} key=${conflict.id} listed=${conflict} shortcuts=${shortcuts} onDecided=${finish} ...${props} />
    </div>
  `
}
