import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import type { RotateReply, TokenRecord } from '../../base/wire.ts'
import { Confirm } from '../../forms/confirm.ts'
import { SelectField } from '../../forms/field.ts'
import { ask } from '../../service/operator.ts'

/** How long the old token may stay valid, by seconds. */
const OVERLAPS = [
  ['0', 'It ends at once'],
  ['3600', 'It ends in an hour'],
  ['86400', 'It ends in a day'],
  ['604800', 'It ends in a week'],
  ['2592000', 'It ends in 30 days'],
] as const

interface RotateProps {
  readonly token: TokenRecord
  readonly onClose: () => void
  readonly onRotated: (token: RotateReply) => void
}

/** Replaces a token. */
export function Rotate({ token: { id, subject, space }, onClose, onRotated }: RotateProps): View {
  const [overlap, setOverlap] = useState('0')
  const rotate = async () => {
    const body = { overlapSeconds: Number(overlap) }
    const path = `/api/tokens/${encodeURIComponent(id)}/rotate`
    onRotated(await ask<RotateReply>(path, { method: 'POST', body }))
  }
  return html`
    <${Confirm} title="Rotate the token" verb="Rotate" act=${rotate} onClose=${onClose}>
      <p>The new token has the same subject (${subject}), space (${space}), scopes and end.</p>
      <${SelectField} label="The old token" hint="Until then it opens sessions, and none of them outlives it."
        chosen=${overlap} options=${OVERLAPS} onChoose=${setOverlap} />
    <//>
  `
}
