import { html, type View } from '../base/html.ts'
import { type Load, Loaded } from './load.ts'
import { Pager } from './pager.ts'
import { type Column, Table } from './table.ts'

interface ListProps<Reply, Row> {
  readonly load: Load<Reply>
  readonly pick: (reply: Reply) => readonly Row[]
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** The parameter of the address that continues the list. */
  readonly parameter?: string
  /** Stands in place of the table if there are no rows. */
  readonly children: View
}

/** A page of a list, with links to the pages around it. */
export function List<Reply extends { readonly next: string | null }, Row>({
  load,
  pick,
  parameter = 'after',
  children,
  ...table
}: ListProps<Reply, Row>): View {
  return html`
    <${Loaded} load=${load}>${(reply: Reply) => {
      const rows = pick(reply)
      return html`
        ${rows.length > 0 ? html`<${Table} rows=${rows} ...${table} />` : html`<p class="empty">${children}</p>`}
        <${Pager} name=${parameter} next=${reply.next} />
      `
    }}<//>
  `
}
