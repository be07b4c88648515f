import { html, type View } from '../../base/html.ts'
import type { TokenRecord } from '../../base/wire.ts'
import { Confirm } from '../../forms/confirm.ts'
import { ask } from '../../service/operator.ts'

interface RevokeProps {
  readonly token: TokenRecord
  readonly onClose: () => void
  readonly onRevoked: () => void
}

/** Ends a token. */
export function Revoke({ token: { id, name, subject, space }, onClose, onRevoked }: RevokeProps): View {
  const revoke = async () => {
    await ask(`/api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })
    onRevoked()
  }
  return html`
    <${Confirm} title="Revoke the token" verb="Revoke" isGrave act=${revoke} onClose=${onClose}>
      <p>The token${name !== null && html` <strong>${name}</strong>`} of <strong>${subject}</strong> for the space
        <strong> ${space}</strong> and its sessions end at once. Its devices keep their data and stop syncing.</p>
    <//>
  `
}
