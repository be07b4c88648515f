import { html, type View } from '../base/html.ts'
import { Field, taking } from './field.ts'

/** The value of a text that should be JSON, or its fault. */
export type Parsed = { readonly value: unknown } | { readonly fault: string }

export function parsed(text: string): Parsed {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { fault: `This is not JSON: ${(error as SyntaxError).message}` }
  }
}

interface JsonEditorProps {
  readonly label: string
  readonly text: string
  readonly onText: (text: string) => void
  readonly hint?: View
  readonly error?: string | undefined
  readonly rows?: number
}

/** An input for JSON. */
export function JsonEditor({ label, text, onText, hint, error, rows = 12 }: JsonEditorProps): View {
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${(attributes: object) => html`
        <textarea ...${attributes} class="json" rows=${rows} spellcheck=${false} value=${text} onInput=${taking(onText)}></textarea>
      `}
    <//>
  `
}
