import { formatBytes, formatCount } from '../base/format.ts'
import { html, type View } from '../base/html.ts'
import type { Metrics } from '../base/open-metrics.ts'
import { withQuery } from '../base/query.ts'
import { link } from '../base/route.ts'
import type { Health, SpacesReply } from '../base/wire.ts'
import { Loaded, useLoad, useReply } from '../parts/load.ts'
import { Facts, Page, Section } from '../parts/page.ts'
import { Plot } from '../parts/plot.ts'
import { Age } from '../parts/time.ts'
import { request } from '../service/request.ts'
import { type Sample, samples, takeSample } from '../service/samples.ts'
import { hintsOf } from './hints.ts'

/** How often numbers, and how often lists are read again, ms. */
const METRICS_MS = 5_000
const LISTS_MS = 60_000
/** Spaces of each list. */
const LISTED = 5

/** Metrics over time: counters since the page was opened, and the bytes in use. */
const PLOTS = [
  { title: 'Changes', name: 'chronicle_changes_total', isCounter: true },
  { title: 'Conflicts', name: 'chronicle_conflicts_total', isCounter: true },
  { title: 'Defects', name: 'chronicle_defects_total', isCounter: true },
  { title: 'Storage', name: 'chronicle_storage_bytes', isCounter: false },
] as const

/** The service as a whole. */
export function Overview(): View {
  const health = useLoad((signal) => request<Health>('/api/health', { signal }), { everyMs: LISTS_MS })
  const metrics = useLoad(takeSample, { everyMs: METRICS_MS })
  return html`
    <${Page} title="Overview">
      <${Loaded} load=${health}>${(value: Health) => html`<${Service} health=${value} />`}<//>
      <${Loaded} load=${metrics}>${(value: Metrics) => html`
        <${Numbers} metrics=${value} />
        <${Hints} metrics=${value} health=${health.value} />
        <${Plots} samples=${samples.value} />
      `}<//>
      <div class="pair">
        <${SpaceList} title="Largest spaces" order="size" />
        <${SpaceList} title="Longest without a sync" order="age" />
      </div>
    <//>
  `
}

function Service({ health }: { readonly health: Health }): View {
  return html`
    <p>
      <span class="dot good"></span>
      Running: <strong>${health.environment}</strong>, version <code>${health.version}</code>
    </p>
  `
}

function Numbers({ metrics }: { readonly metrics: Metrics }): View {
  const number = (name: string, format = formatCount) => format(metrics.get(`chronicle_${name}`) ?? 0)
  return html`
    <section class="numbers" aria-label="Totals">
      <${Facts} facts=${[
        ['Spaces', number('spaces')],
        ['Entries', number('entries')],
        ['Devices', number('devices')],
        ['Open conflicts', number('open_conflicts')],
        ['Storage', number('storage_bytes', formatBytes)],
      ]} />
    </section>
  `
}

interface HintsProps {
  readonly metrics: Metrics
  readonly health: Health | undefined
}

function Hints({ metrics, health }: HintsProps): View {
  const first = samples.value[0]?.metrics ?? metrics
  const hints = hintsOf({ metrics, first, version: health?.version })
  return html`
    <${Section} title="To do">
      ${hints.length === 0 && html`<p class="muted">Nothing needs attention.</p>`}
      <ul class="hints">
        ${hints.map(
          ({ text, href, advice }) => html`
            <li key=${text}><strong>${href ? html`<a href=${href}>${text}</a>` : text}</strong> ${advice}</li>
          `,
        )}
      </ul>
    <//>
  `
}

function Plots({ samples: taken }: { readonly samples: readonly Sample[] }): View {
  const times = taken.map(({ at }) => at)
  return html`
    <${Section} title="Since this page was opened">
      <p class="muted">Spaces report once an hour, or after 1,000 changes, so these lines move in steps.</p>
      <div class="plots">
        ${PLOTS.map(({ title, name, isCounter }) => {
          const all = taken.map(({ metrics }) => metrics.get(name) ?? 0)
          const values = isCounter ? all.map((value) => value - (all[0] ?? 0)) : all
          const format = isCounter ? formatCount : formatBytes
          const last = values.at(-1) ?? 0
          const summary = `${title}: ${format(last)}${isCounter ? ` more, ${formatCount(all.at(-1) ?? 0)} in all` : ''}`
          return html`<${Plot} key=${name} title=${title} times=${times} values=${values} isBytes=${!isCounter} summary=${summary} />`
        })}
      </div>
    <//>
  `
}

function SpaceList({ title, order }: { readonly title: string; readonly order: 'size' | 'age' }): View {
  const path = withQuery('/api/spaces', { order, limit: LISTED })
  const load = useReply<SpacesReply>(path, { everyMs: LISTS_MS })
  return html`
    <${Section} title=${title}>
      <${Loaded} load=${load}>${({ spaces }: SpacesReply) => html`
        ${spaces.length === 0 && html`<p class="muted">No space has reported yet.</p>`}
        <ol class="ranked">
          ${spaces.map(
            ({ space, bytes, lastSync }) => html`
              <li key=${space}>
                <a href=${link(['space', space])}>${space}</a>
                <span class="muted whole">${order === 'size' ? formatBytes(bytes) : html`<${Age} at=${lastSync} />`}</span>
              </li>
            `,
          )}
        </ol>
        <p><a href=${link(['spaces'], { order })}>All spaces</a></p>
      `}<//>
    <//>
  `
}
