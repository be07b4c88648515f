import { differences } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import type { Entry } from '../../base/wire.ts'
import { Confirm } from '../../forms/confirm.ts'
import { DifferenceTable } from '../../parts/difference-table.ts'
import { restore } from '../../service/history.ts'
import { contentOf } from './version.ts'

interface RestoreProps {
  readonly space: string
  readonly current: Entry
  readonly version: Entry
  readonly onRestored: () => void
  /** Called to read the key again, if somebody has written it meanwhile. */
  readonly onStale: () => void
  readonly onClose: () => void
}

/** Writes an old version again, after showing what that changes. */
export function Restore({ space, current, version, onRestored, onStale, onClose }: RestoreProps): View {
  const changes = differences(contentOf(current), contentOf(version))
  const act = async () => {
    await restore(space, version, current.version)
    onRestored()
  }
  return html`
    <${Confirm} title=${`Restore ${version.version}`} verb="Restore" isPointless=${changes.length === 0} act=${act} onStale=${onStale} onClose=${onClose}>
      ${changes.length === 0 && html`<p>The current version has the same content, so nothing would change.</p>`}
      ${changes.length > 0 && html`<${DifferenceTable} caption="What changes" values=${[{ name: 'Now' }, { name: 'After' }]} differences=${changes} />`}
      <p class="muted">Its content becomes a new version, for all devices.</p>
    <//>
  `
}
