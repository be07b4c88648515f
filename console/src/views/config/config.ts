import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { differences, isRecord, printed, rebased } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import type { ConfigReply, ShownConfig } from '../../base/wire.ts'
import { useAct } from '../../forms/act.ts'
import { parsed } from '../../forms/json-editor.ts'
import { Loaded, useReply } from '../../parts/load.ts'
import { tell } from '../../parts/notice.ts'
import { Page } from '../../parts/page.ts'
import { ask, onSignOut } from '../../service/operator.ts'
import { type Draft, draftOf } from './draft.ts'
import { Form } from './form.ts'
import { Refused } from './refused.ts'
import { Review } from './review.ts'
import { Source } from './source.ts'

interface Edited {
  /** The revision that the draft began from. */
  readonly stored: ShownConfig
  /** The draft is a text, because that is what both the form and the source can always show. */
  readonly text: string
}

/** The draft outlives its page, but not the stay of the operator. */
const edited = signal<Edited | null>(null)
onSignOut(() => {
  edited.value = null
})

/** The configuration of all spaces. */
export function Config(): View {
  const load = useReply<ShownConfig>('/api/config')
  return html`
    <${Page} title="Configuration">
      <${Loaded} load=${load}>${(stored: ShownConfig) => html`<${Editor} read=${stored} onReload=${load.reload} />`}<//>
    <//>
  `
}

interface EditorProps {
  readonly read: ShownConfig
  readonly onReload: () => void
}

function Editor({ read, onReload }: EditorProps): View {
  const { stored, text } = edited.value ?? { stored: read, text: printed(draftOf(read)) }
  const [isSource, setSource] = useState(false)
  const [isReviewing, setReviewing] = useState(false)
  const act = useAct()
  const original = draftOf(stored)
  const result = parsed(text)
  const draft = 'value' in result && isRecord(result.value) ? (result.value as Draft) : undefined
  const fault = 'fault' in result ? result.fault : 'This is JSON, but no object.'
  const changes = draft === undefined ? [] : differences(original, draft)
  const keep = (next: string, from = stored) => {
    edited.value = { stored: from, text: next }
    act.clear()
  }
  // For a minute after a change KV may still give the revision before it.
  useEffect(() => {
    if (read.revision > stored.revision && draft) keep(printed(rebased(original, draft, draftOf(read))), read)
  }, [read])
  const save = () => {
    setReviewing(false)
    act.start(async () => {
      const body = { ...draft, revision: stored.revision, stack: stored.stack }
      const { success: _success, ...reply } = await ask<ConfigReply>('/api/config', { method: 'PUT', body })
      keep(printed(draftOf(reply)), reply)
      tell(`Revision ${reply.revision} is stored. Spaces apply it within about a minute and a half.`)
    })
  }
  const isPointless = act.isBusy || changes.length === 0
  const label = changes.length === 1 ? 'Review 1 change' : `Review ${changes.length} changes`
  const nothing = draft ? 'Nothing to save' : 'Broken JSON cannot be saved'
  return html`
    <p class="muted">Stack <strong>${stored.stack}</strong>, revision <code>${stored.revision}</code>. It holds for all
      spaces of the stack.</p>
    <${Ways} isSource=${isSource} isBroken=${draft === undefined} onChoose=${setSource} />
    ${
      isSource || draft === undefined
        ? html`<${Source} text=${text} fault=${draft ? undefined : fault} error=${act.error} onEdit=${keep} />`
        : html`<${Form} draft=${draft} error=${act.error} onEdit=${(next: Draft) => keep(printed(next))} />`
    }
    ${act.error && html`<${Refused} error=${act.error} onReload=${onReload} />`}
    <p class="actions">
      <button type="button" class="primary" aria-disabled=${isPointless} onClick=${() => setReviewing(!isPointless)}>
        ${changes.length === 0 ? nothing : label}
      </button>
      <button type="button" aria-disabled=${text === printed(original)} onClick=${() => keep(printed(original))}>Undo all</button>
    </p>
    ${isReviewing && html`<${Review} changes=${changes} onSave=${save} onClose=${() => setReviewing(false)} />`}
  `
}

interface WaysProps {
  readonly isSource: boolean
  readonly isBroken: boolean
  readonly onChoose: (isSource: boolean) => void
}

function Ways({ isSource, isBroken, onChoose }: WaysProps): View {
  return html`
    <div class="ways" role="group" aria-label="How to edit">
      <button type="button" aria-pressed=${!isSource} disabled=${isBroken} onClick=${() => onChoose(false)}>Form</button>
      <button type="button" aria-pressed=${isSource} onClick=${() => onChoose(true)}>JSON</button>
    </div>
  `
}
