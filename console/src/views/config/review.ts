import type { Difference } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import { Confirm } from '../../forms/confirm.ts'
import { DifferenceTable } from '../../parts/difference-table.ts'

interface ReviewProps {
  readonly changes: readonly Difference[]
  readonly onSave: () => void
  readonly onClose: () => void
}

/** Shows what a PUT would change, before it is sent. The page behind it shows how that goes. */
export function Review({ changes, onSave, onClose }: ReviewProps): View {
  return html`
    <${Confirm} title="What changes" verb="Save for all spaces" act=${async () => onSave()} onClose=${onClose}>
      <${DifferenceTable} caption="Changes of the configuration" values=${[{ name: 'Now' }, { name: 'After' }]} differences=${changes} />
    <//>
  `
}
