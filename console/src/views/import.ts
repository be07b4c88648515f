import { useState } from 'preact/hooks'
import { formatCount } from '../base/format.ts'
import { html, type View } from '../base/html.ts'
import { link, route } from '../base/route.ts'
import { useAct } from '../forms/act.ts'
import { faultAt } from '../forms/fault.ts'
import { Field, submitting, TextField } from '../forms/field.ts'
import { Page } from '../parts/page.ts'
import { ProblemBlock } from '../parts/problem.ts'
import { importSpace } from '../service/import.ts'

/** Fills a space from a file. */
export function Import(): View {
  const [space, setSpace] = useState(() => route.value.query.get('space') ?? '')
  const [outcome, setOutcome] = useState<View>()
  const [file, setFile] = useState<File>()
  const [sent, setSent] = useState(0)
  const { isBusy, error, start } = useAct()
  const fill = async () => {
    if (!file) return
    setSent(0)
    setOutcome(undefined)
    const reply = await importSpace(space, file, setSent)
    const has = html`The space <a href=${link(['space', space])}>${space}</a> has ${formatCount(reply?.entries ?? 0)} entries.`
    setOutcome(
      reply?.finished
        ? html`<p role="status">${has}</p>`
        : html`<div class="problem" role="alert"><p>${has} The file has no end line, so the import is not finished. The space
          stays closed until you import the whole file, or erase it.</p></div>`,
    )
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
        ${outcome}
        <button class="primary" aria-disabled=${isBusy}>Import</button>
      </form>
    <//>
  `
}
