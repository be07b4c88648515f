import { type Difference, printed } from '../base/difference.ts'
import { html, type View } from '../base/html.ts'

/** One of the values that are compared. */
export interface Compared {
  readonly name: string
  /** Where the value is from. */
  readonly origin?: View
}

interface DifferenceTableProps {
  readonly caption: string
  /** The values, in the order of the contents. */
  readonly values: readonly Compared[]
  readonly differences: readonly Difference[]
  /** The index of the value that the others began from: what equals it is shown as unchanged. */
  readonly origin?: number
}

/** A row for each field that differs, and a column for each value. */
export function DifferenceTable({ caption, values, differences, origin }: DifferenceTableProps): View {
  return html`
    <table class="cards differences">
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          ${values.map(({ name, origin: from }) => html`<th key=${name} scope="col">${name} ${from && html`<small>${from}</small>`}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${differences.map(
          ({ pointer, contents }) => html`
            <tr key=${pointer}>
              <th scope="row" data-title="Field">${pointer ? html`<code>${pointer}</code>` : 'the whole value'}</th>
              ${values.map(({ name }, index) => {
                const isSame = origin !== undefined && printed(contents[index]) === printed(contents[origin])
                return html`
                  <td key=${name} data-title=${name} class=${isSame ? 'same' : 'changed'}><${Content} value=${contents[index]} /></td>
                `
              })}
            </tr>
          `,
        )}
      </tbody>
    </table>
  `
}

function Content({ value }: { readonly value?: unknown }): View {
  return value === undefined ? html`<span class="muted">absent</span>` : html`<pre>${printed(value)}</pre>`
}
