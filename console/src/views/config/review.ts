import type { Difference } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import { Dialog } from '../../forms/dialog.ts'
import { DifferenceTable } from '../../parts/difference-table.ts'

interface ReviewProps {
  readonly changes: readonly Difference[]
  readonly onSave: () => void
  readonly onClose: () => void
}

/** Shows what a PUT would change, before it is sent. */
export function Review({ changes, onSave, onClose }: ReviewProps): View {
  return html`
    <${Dialog} title="What changes" onClose=${onClose}>
      <${DifferenceTable} caption="Changes of the configuration" values=${[{ name: 'Now' }, { name: 'After' }]} differences=${changes} />
      <p class="actions">
        <button type="button" class="primary" onClick=${onSave}>Save for all spaces</button>
        <button type="button" onClick=${onClose}>Back</button>
      </p>
    <//>
  `
}
