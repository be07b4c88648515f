import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import { link, visit } from '../../base/route.ts'
import { useAct } from '../../forms/act.ts'
import { submitting, TextField } from '../../forms/field.ts'
import { tell } from '../../parts/notice.ts'
import { Section } from '../../parts/page.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { eraseSpace } from '../../service/transfer.ts'

/** Erases the space, once its name is typed. */
export function Erase({ space }: { readonly space: string }): View {
  const [typed, setTyped] = useState('')
  const act = useAct()
  const erase = async () => {
    await eraseSpace(space)
    tell(`The space ${space} is erased.`)
    visit(link(['spaces']))
  }
  return html`
    <${Section} title="Erase" class="grave">
      <p>Everything in the space goes for good, and all its sessions and tokens end. Export it first.</p>
      <form onSubmit=${submitting(() => act.start(erase))}>
        <${TextField} label=${html`Type <strong>${space}</strong> to confirm`} text=${typed} onText=${setTyped} />
        ${act.error && html`<${ProblemBlock} error=${act.error} />`}
        <button class="danger" disabled=${typed !== space} aria-disabled=${act.isBusy}>Erase the space</button>
      </form>
    <//>
  `
}
