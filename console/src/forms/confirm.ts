import { html, type View } from '../base/html.ts'
import { ProblemBlock } from '../parts/problem.ts'
import { useAct } from './act.ts'
import { Dialog } from './dialog.ts'

interface ConfirmProps {
  readonly title: string
  /** The word on the button that does it. */
  readonly verb: string
  readonly isGrave?: boolean
  readonly isPointless?: boolean
  readonly act: () => Promise<void>
  readonly onClose: () => void
  readonly onStale?: () => void
  readonly children: View
}

/** Says what an act would do, before it is done. */
export function Confirm({
  title,
  verb,
  isGrave,
  isPointless,
  act,
  onClose,
  onStale,
  children,
}: ConfirmProps): View {
  const { isBusy, error, start } = useAct()
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      ${children}
      ${error && html`<${ProblemBlock} error=${error} onStale=${onStale} />`}
      <p class="actions">
        <button type="button" class=${isGrave ? 'danger' : 'primary'} disabled=${isPointless} aria-disabled=${isBusy} onClick=${() => start(act)}>${verb}</button>
        <button type="button" onClick=${onClose}>Back</button>
      </p>
    <//>
  `
}
