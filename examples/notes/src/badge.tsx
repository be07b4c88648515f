import type { RowStatus } from '@chronicle-sync/client'
import { STATUS_WORDS } from './state/words.ts'

export function Badge({ status }: { readonly status: RowStatus }) {
  return <span className={`badge ${status}`}>{STATUS_WORDS[status]}</span>
}
