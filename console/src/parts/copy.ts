import { useState } from 'preact/hooks'
import { html, type View } from '../base/html.ts'

/** How long the button says that it has copied, ms. */
const SAID_MS = 2_000

interface CopyProps {
  readonly text: string
  readonly label: string
}

/** Button that copies a text. It has the focus of its dialog first. */
export function Copy({ text, label }: CopyProps): View {
  const [said, setSaid] = useState('')
  const say = (word: string) => {
    setSaid(word)
    setTimeout(() => setSaid(''), SAID_MS)
  }
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => say('Copied'),
      () => say('Select the text and copy it'),
    )
  return html`
    <button type="button" class="quiet" autofocus aria-label=${label} onClick=${copy}>Copy</button>
    <span role="status" class="muted">${said}</span>
  `
}
