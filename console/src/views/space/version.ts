import { differences, printed } from '../../base/difference.ts'
import { html, type View } from '../../base/html.ts'
import type { Entry } from '../../base/wire.ts'
import { DifferenceTable } from '../../parts/difference-table.ts'
import { Time } from '../../parts/time.ts'

interface VersionViewProps {
  readonly version: Entry
  /** The version before it, if it has been read. */
  readonly before: Entry | undefined
  readonly isCurrent: boolean
  /** Whether no older version is kept. */
  readonly isFirst: boolean
  readonly onRestore: ((version: Entry) => void) | undefined
}

/** One version of a key, and what it changed. */
export function VersionView({ version, before, isCurrent, isFirst, onRestore }: VersionViewProps): View {
  const { version: name, timestamp, by, deleted } = version
  return html`
    <li>
      <div class="version-head">
        <h3><code>${name}</code></h3>
        ${isCurrent && html`<span class="tag">current</span>`}
        ${deleted && html`<span class="tag bad">deletion</span>`}
        <span class="muted"><${Time} at=${timestamp} /> by <bdi>${by}</bdi></span>
        ${onRestore && html`<button type="button" aria-label=${`Restore ${name}`} onClick=${() => onRestore(version)}>Restore</button>`}
      </div>
      <${Changes} version=${version} before=${before} isFirst=${isFirst} />
      <details>
        <summary>Whole value</summary>
        <pre>${printed(contentOf(version)) || 'none'}</pre>
      </details>
    </li>
  `
}

function Changes({
  version,
  before,
  isFirst,
}: Pick<VersionViewProps, 'version' | 'before' | 'isFirst'>): View {
  if (!before)
    return html`<p class="muted">${isFirst ? 'The oldest version that is kept.' : 'Read older versions to see what this one changed.'}</p>`
  const changes = differences(contentOf(before), contentOf(version))
  if (changes.length === 0) return html`<p class="muted">The same content as the version before.</p>`
  return html`<${DifferenceTable} caption="What this version changed" values=${[{ name: 'Before' }, { name: 'After' }]} differences=${changes} />`
}

/** The value of a version. A deletion has none, whatever it was sent with. */
export function contentOf({ deleted, value }: Pick<Entry, 'deleted' | 'value'>): unknown {
  return deleted ? undefined : value
}
