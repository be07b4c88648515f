import { useState } from 'preact/hooks'
import { formatBytes, formatCount } from '../../base/format.ts'
import { html, type View } from '../../base/html.ts'
import { link } from '../../base/route.ts'
import { useAct } from '../../forms/act.ts'
import { tell } from '../../parts/notice.ts'
import { Section } from '../../parts/page.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { entriesOf, exportSpace } from '../../service/transfer.ts'

/** Saves the entries of the space as a file. */
export function Export({ space }: { readonly space: string }): View {
  const [bytes, setBytes] = useState(0)
  const [fault, setFault] = useState('')
  const act = useAct()
  const start = () =>
    act.start(async () => {
      setFault('')
      setBytes(0)
      const file = await exportSpace(space, setBytes)
      const entries = await entriesOf(file)
      if (entries === undefined)
        return setFault('The export broke off, so nothing was saved. Start it again.')
      save(file, `${space.replaceAll(/[^\w.-]+/g, '_')}.ndjson`)
      tell(`Exported ${formatCount(entries)} entries.`)
    })
  return html`
    <${Section} title="Export">
      <p>A file with all current entries, without history and conflicts. A new or erased space can <a href=${link(['import'])}>import</a> it.</p>
      ${act.error && html`<${ProblemBlock} error=${act.error} />`}
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
      <p class="actions">
        <button type="button" aria-disabled=${act.isBusy} onClick=${start}>Export</button>
        <span class="muted" role="status">${act.isBusy && `Read ${formatBytes(bytes)}`}</span>
      </p>
    <//>
  `
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  // The browser reads the file after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
