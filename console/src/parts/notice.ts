import { signal } from '@preact/signals'
import { html, type View } from '../base/html.ts'

/** How long a notice stays, ms. */
const SHOWN_MS = 6_000

const notice = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

/** Tells the outcome of an act, to eyes and to screen readers. */
export function tell(text: string): void {
  clearTimeout(timer)
  notice.value = text
  timer = setTimeout(() => {
    notice.value = ''
  }, SHOWN_MS)
}

/** The place of notices. It is always in the page, because screen readers follow only a region that they know. */
export function Notices(): View {
  return html`<div class="notices" role="status">${notice.value && html`<p>${notice.value}</p>`}</div>`
}
