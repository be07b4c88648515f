import { html, type View } from '../base/html.ts'
import { link } from '../base/route.ts'
import { Page } from '../parts/page.ts'

export function NotFound(): View {
  return html`
    <${Page} title="No such page">
      <p>The address names no page of the console. <a href=${link([])}>Go to the overview</a>.</p>
    <//>
  `
}
