import { html, type View } from '../../base/html.ts'

/** Acts by their keys. A part of the page adds its own. */
export type Shortcuts = Map<string, () => void>

/** The keys of the review, in the order of the legend. */
const LEGEND = [
  ['j', 'next'],
  ['k', 'previous'],
  ['1', 'keep the winner'],
  ['2', 'take the loser'],
  ['e', 'edit'],
  ['Ctrl Enter', 'save the edit'],
  ['Esc', 'leave the edit'],
] as const

/** Acts by a key, unless it belongs to an input or to a shortcut of the browser. */
export function press(event: KeyboardEvent, shortcuts: Shortcuts): void {
  const isTyping = (event.target as HTMLElement).matches('input, textarea, select')
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  const act = shortcuts.get(event.key)
  if (!act) return
  event.preventDefault()
  act()
}

export function Legend(): View {
  return html`
    <ul class="legend" aria-label="Keys, while the focus is in this part of the page">
      ${LEGEND.map(([key, act]) => html`<li key=${key}><kbd>${key}</kbd> ${act}</li>`)}
    </ul>
  `
}
