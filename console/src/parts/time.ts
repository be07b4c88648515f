import { signal } from '@preact/signals'
import { formatAge, formatTime } from '../base/format.ts'
import { html, type View } from '../base/html.ts'

/** The time that ages are told by. */
export const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 5_000)

interface TimeProps {
  /** In ms since 1970. A space that still runs the last release may lack a time. */
  readonly at: number | null | undefined
  /** Shown if there is no time. */
  readonly none?: string
}

/** The last time that a calendar has, ms since 1970. */
const LAST_MS = 8.64e15

function isTime(at: number | null | undefined): at is number {
  return typeof at === 'number' && at > 0 && at <= LAST_MS
}

/** A time, as in 2026-11-29 05:00:12. */
export function Time({ at, none = '–' }: TimeProps): View {
  if (!isTime(at)) return none
  return html`<time datetime=${new Date(at).toISOString()}>${formatTime(at)}</time>`
}

/** How long ago something was. The time itself is in the tooltip. */
export function Age({ at, none = 'never' }: TimeProps): View {
  if (!isTime(at)) return none
  const iso = new Date(at).toISOString()
  return html`<time datetime=${iso} title=${formatTime(at)}>${formatAge(at, Math.max(now.value, at))}</time>`
}
