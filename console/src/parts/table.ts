import { html, type View } from '../base/html.ts'

export interface Column<T> {
  readonly title: string
  readonly show: (row: T) => View
  /** Whether the column holds numbers. */
  readonly isNumber?: boolean
}

interface TableProps<T> {
  readonly caption: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string | number
}

/** A table whose first column names the row. On a narrow screen each row becomes a card. */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>): View {
  const classOf = (column: Column<T>) => (column.isNumber ? 'number' : undefined)
  return html`
    <table class="cards">
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>${columns.map((column) => html`<th key=${column.title} scope="col" class=${classOf(column)}>${column.title}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`
            <tr key=${keyOf(row)}>
              ${columns.map((column, index) => {
                const Cell = index === 0 ? 'th' : 'td'
                return html`
                  <${Cell} key=${column.title} scope=${index === 0 ? 'row' : undefined} class=${classOf(column)} data-title=${column.title}>
                    ${column.show(row)}
                  <//>
                `
              })}
            </tr>
          `,
        )}
      </tbody>
    </table>
  `
}
