import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import { faultAt } from '../../forms/fault.ts'
import { SelectField, submitting, TextField } from '../../forms/field.ts'
import type { Refusal } from '../../service/request.ts'
import { POLICIES } from './draft.ts'

type PolicyMap = Readonly<Record<string, string>>

interface PoliciesProps {
  readonly policies: PolicyMap
  readonly error: Refusal | undefined
  readonly onChange: (policies: PolicyMap) => void
}

/** A policy for each collection that has its own. */
export function Policies({ policies, error, onChange }: PoliciesProps): View {
  const [added, setAdded] = useState('')
  const [fault, setFault] = useState<string>()
  const add = () => {
    if (Object.hasOwn(policies, added)) return setFault('This collection is there already.')
    onChange({ ...policies, [added]: 'merge' })
    setAdded('')
  }
  const type = (text: string) => {
    setAdded(text)
    setFault(undefined)
  }
  const remove = (name: string) =>
    onChange(Object.fromEntries(Object.entries(policies).filter(([other]) => other !== name)))
  return html`
      ${Object.entries(policies).map(
        ([name, policy]) => html`
          <div key=${name} class="row">
            <${SelectField} label=${html`Collection <code>${name}</code>`} error=${faultAt(error, placeOf(name))}
              chosen=${policy} options=${POLICIES} onChoose=${(next: string) => onChange({ ...policies, [name]: next })} />
            <button type="button" aria-label=${`Remove the policy of ${name}`} onClick=${() => remove(name)}>Remove</button>
          </div>
        `,
      )}
    <form class="row" onSubmit=${submitting(add)}>
      <${TextField} label="Name another collection" hint="The part of its keys before the first slash." required text=${added} error=${fault} onText=${type} />
      <button>Add</button>
    </form>
  `
}

/** The path of a collection in the words of the service, which name no text that is unlike a field. */
function placeOf(name: string): string {
  const shown = /^[\w-]{1,24}$/.test(name) ? name : '…'
  return /\W/.test(shown) ? `policies["${shown}"]` : `policies.${shown}`
}
