import { html, type View } from '../../base/html.ts'
import { Erase } from './erase.ts'
import { Export } from './export.ts'
import type { SpaceProps } from './space-props.ts'

/** Acts on the space as a whole. Each leaves an audit record. */
export function Transfer({ space, status }: SpaceProps): View {
  return html`
    <div class="apart">
      ${status && html`<${Export} space=${space} />`}
      <${Erase} space=${space} />
    </div>
  `
}
