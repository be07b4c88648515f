import { useEffect, useRef, useState } from 'preact/hooks'
import { printed } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import { useAct } from '../../forms/act.ts'
import { JsonEditor, parsed } from '../../forms/json-editor.ts'
import { tell } from '../../parts/notice.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { resolve, type Surroundings } from '../../service/conflicts.ts'
import type { Shortcuts } from './shortcuts.ts'
import { contentOf } from './version.ts'

interface DecisionProps {
  readonly space: string
  readonly around: Surroundings
  readonly shortcuts: Shortcuts
  readonly onDecided: () => void
  /** Called to read the entry again, if it has changed meanwhile. */
  readonly onStale: () => void
}

const WORDS = {
  winner: 'the winner was kept',
  loser: 'the loser was taken',
  value: 'your value was saved',
} as const

/** Decides an open conflict: keeps, takes, or edits. */
export function Decision({ space, around, shortcuts, onDecided, onStale }: DecisionProps): View {
  const { conflict, current } = around
  const [edited, setEdited] = useState<string>()
  const act = useAct()
  const box = useRef<HTMLDivElement>(null)
  const isEditing = edited !== undefined

  const decide = (choice: Choice) =>
    act.start(async () => {
      await resolve(space, conflict, { ...choice, base: current?.version ?? null })
      tell(`${conflict.key}: ${WORDS[choice.choice]}. Its history has the other side.`)
      onDecided()
    })
  const reread = () => {
    act.clear()
    box.current?.querySelector('button')?.focus()
    onStale()
  }
  const keep = () => decide({ choice: 'winner' })
  const take = () => decide({ choice: 'loser' })
  const edit = () => setEdited(printed(current && contentOf(current)) || 'null')

  useEffect(() => {
    shortcuts.set('1', keep).set('2', take).set('e', edit)
    return () => ['1', '2', 'e'].forEach((key) => void shortcuts.delete(key))
  })
  useEffect(() => box.current?.querySelector('textarea')?.focus(), [isEditing])
  const leave = () => {
    setEdited(undefined)
    box.current?.querySelector<HTMLElement>('[aria-expanded]')?.focus()
  }

  return html`
    ${act.error && html`<${ProblemBlock} error=${act.error} onStale=${reread} />`}
    <div ref=${box} class="decision">
      <p class="actions" role="group" aria-label="Decide">
        <button type="button" class="primary" onClick=${keep}><kbd>1</kbd> Keep the winner</button>
        <button type="button" onClick=${take}><kbd>2</kbd> Take the loser</button>
        <button type="button" aria-expanded=${isEditing} onClick=${edit}><kbd>e</kbd> Edit</button>
      </p>
      ${
        edited !== undefined &&
        html`<${Editing} text=${edited} onText=${setEdited} onSave=${(value: unknown) => decide({ choice: 'value', value })} onLeave=${leave} />`
      }
    </div>
  `
}

type Choice = { readonly choice: 'winner' | 'loser' } | { readonly choice: 'value'; readonly value: unknown }

interface EditingProps {
  readonly text: string
  readonly onText: (text: string) => void
  readonly onSave: (value: unknown) => void
  readonly onLeave: () => void
}

function Editing({ text, onText, onSave, onLeave }: EditingProps): View {
  const result = parsed(text)
  const fault = 'fault' in result ? result.fault : undefined
  const save = () => 'value' in result && onSave(result.value)
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save()
    if (event.key === 'Escape') onLeave()
  }
  return html`
    <div onKeyDown=${press}>
      <${JsonEditor} label="The value to save" text=${text} onText=${onText} error=${fault} />
      <p class="actions">
        <button type="button" class="primary" disabled=${fault !== undefined} onClick=${save}>Save</button>
        <button type="button" onClick=${onLeave}>Leave the edit</button>
      </p>
    </div>
  `
}
