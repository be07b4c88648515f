import { html, type View } from '../../base/html.ts'
import { faultOf } from '../../forms/fault.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import type { Refusal } from '../../service/request.ts'

interface RefusedProps {
  readonly error: Refusal
  readonly onReload: () => void
}

/** Says that nothing was saved, and why. The words about one field stand at that field too. */
export function Refused({ error, onReload }: RefusedProps): View {
  const fault = faultOf(error)
  if (fault)
    return html`<p class="fault" role="alert">Not saved. <code>${fault.path}</code>: ${fault.words}</p>`
  return html`
    <${ProblemBlock} error=${error} />
    ${
      error.code === 'config-changed' &&
      html`<p><button type="button" onClick=${onReload}>Read the new revision and keep my edits</button></p>`
    }
  `
}
