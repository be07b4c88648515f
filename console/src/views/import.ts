import { useState } from 'preact/hooks'
import { formatCount } from '../base/format.ts'
import { html, type View } from '../base/html.ts'
import { useAct } from '../forms/act.ts'
import { faultAt } from '../forms/fault.ts'
import { Field, submitting, TextField } from '../forms/field.ts'
import { tell } from '../parts/notice.ts'
import { Page } from '../parts/page.ts'
import { ProblemBlock } from '../parts/problem.ts'
import { importSpace } from '../service/import.ts'

/** Fills a space from a file. */
export function Import(): View {
  const [space, setSpace] = useState('')
  const [file, setFile] = useState<File>()
  const [sent, setSent] = useState(0)
  const { isBusy, error, start } = useAct()
  const fill = async () => {
    if (!file) return
    setSent(0)
    const reply = await importSpace(space, file, setSent)
    const ending = reply?.finished ? '' : ' The file has no end line, so the import is not finished.'
    tell(`The space ${space} has ${formatCount(reply?.entries ?? 0)} entries.${ending}`)
  }
  return html`
    <${Page} title="Import">
      <p>Fills a new or erased space. Devices wait until the last line is imported. If it breaks off, import the same
        file again.</p>
      <form onSubmit=${submitting(() => start(fill))}>
        <${TextField} label="Space" required error=${faultAt(error, 'space')} text=${space} onText=${setSpace} />
        <${Field} label="Export file">
          ${(attributes: object) => html`
            <input ...${attributes} type="file" required accept=".ndjson" onChange=${(event: Event) => setFile((event.currentTarget as HTMLInputElement).files?.[0])} />
          `}
        <//>
        ${error && !faultAt(error, 'space') && html`<${ProblemBlock} error=${error} />`}
        ${file && isBusy && html`<progress aria-label="Import" max=${file.size} value=${sent}></progress>`}
        <button class="primary" aria-disabled=${isBusy}>Import</button>
      </form>
    <//>
  `
}
