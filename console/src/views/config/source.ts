import { html, type View } from '../../base/html.ts'
import { faultOf } from '../../forms/fault.ts'
import { JsonEditor } from '../../forms/json-editor.ts'
import type { Refusal } from '../../service/request.ts'

interface SourceProps {
  readonly text: string
  readonly fault: string | undefined
  readonly error: Refusal | undefined
  readonly onEdit: (text: string) => void
}

/** The configuration as JSON. */
export function Source({ text, fault, error, onEdit }: SourceProps): View {
  const refused = faultOf(error)
  return html`
    <${JsonEditor} label="Configuration" text=${text} onText=${onEdit} rows=${24}
      error=${fault ?? (refused && `Line ${lineOf(text, refused.path)}: ${refused.path}: ${refused.words}`)}
      hint="A field that is left out becomes as if never configured." />
  `
}

/** The line of a field in the text: each name of its path is looked for after the one before it. */
function lineOf(text: string, path: string): number {
  let from = 0
  for (const [name] of path.matchAll(/[^.[\]"]+/g)) {
    const found = text.indexOf(`"${name}":`, from)
    if (found >= 0) from = found
  }
  return text.slice(0, from).split('\n').length
}
