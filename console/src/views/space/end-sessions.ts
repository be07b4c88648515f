import { html, type View } from '../../base/html.ts'
import type { Device } from '../../base/wire.ts'
import { Confirm } from '../../forms/confirm.ts'
import { ask } from '../../service/operator.ts'

interface EndSessionsProps {
  readonly space: string
  readonly device: Device
  readonly onClose: () => void
  readonly onEnded: () => void
}

/** Ends the sessions of the subject that a device belongs to. */
export function EndSessions({ space, device: { subject }, onClose, onEnded }: EndSessionsProps): View {
  const end = async () => {
    await ask('/api/sessions', { method: 'DELETE', body: { subject, space } })
    onEnded()
  }
  return html`
    <${Confirm} title="End the sessions" verb="End the sessions" isGrave act=${end} onClose=${onClose}>
      <p>All sessions of <strong>${subject}</strong> in <strong>${space}</strong> end at once. Its devices need a new token
        of the identity provider.</p>
    <//>
  `
}
