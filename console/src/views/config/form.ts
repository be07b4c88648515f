import { html, type View } from '../../base/html.ts'
import { faultAt } from '../../forms/fault.ts'
import { SelectField, TextField } from '../../forms/field.ts'
import { Section } from '../../parts/page.ts'
import type { Refusal } from '../../service/request.ts'
import { at, type Draft, NUMBERS, POLICIES, withAt } from './draft.ts'
import { Policies } from './policies.ts'

interface FormProps {
  readonly draft: Draft
  readonly error: Refusal | undefined
  readonly onEdit: (draft: Draft) => void
}

/** The configuration as fields. */
export function Form({ draft, error, onEdit }: FormProps): View {
  const edit = (path: readonly string[]) => (content: unknown) => onEdit(withAt(draft, path, content))
  return html`
    <div class="apart">
      <${Section} title="How conflicts are decided">
        <${SelectField} label="Collections that are not named below" error=${faultAt(error, 'defaultPolicy')}
          chosen=${draft.defaultPolicy} options=${POLICIES} onChoose=${edit(['defaultPolicy'])} />
        <${Policies} policies=${draft.policies ?? {}} error=${error} onChange=${edit(['policies'])} />
      <//>
      <${Section} title="Retention and limits">
        <div class="grid">
          ${NUMBERS.map(
            ({ path, ...others }) => html`
              <${TextField} key=${others.label} ...${others} error=${faultAt(error, path.join('.'))} inputmode="numeric"
                text=${at(draft, path) ?? ''} onText=${(text: string) => edit(path)(numberOf(text))} />
            `,
          )}
        </div>
      <//>
      <p class="muted">Identity providers: ${draft.identityProviders?.length ?? 0}. To edit them, choose JSON.</p>
    </div>
  `
}

/** A text that is no number is sent as it is, so that the service says what it expects. */
function numberOf(text: string): number | string {
  const number = Number(text)
  return text.trim() === '' || Number.isNaN(number) ? text : number
}
