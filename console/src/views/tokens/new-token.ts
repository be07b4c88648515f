import { html, type View } from '../../base/html.ts'
import type { TokenReply } from '../../base/wire.ts'
import { Dialog } from '../../forms/dialog.ts'
import { Copy } from '../../parts/copy.ts'
import { Facts } from '../../parts/page.ts'

interface NewTokenProps {
  readonly token: TokenReply
  readonly onClose: () => void
}

/** Shows a new token, this once. */
export function NewToken({ token, onClose }: NewTokenProps): View {
  const { subject, space, scopes } = token
  return html`
    <${Dialog} title="The new token" isOnce onClose=${onClose}>
      <p>Copy it now: no later page shows it. Only its button closes this dialog.</p>
      <p class="secret"><code>${token.token}</code> <${Copy} text=${token.token} label="Copy the token" /></p>
      <${Facts} facts=${[
        ['Subject', subject],
        ['Space', space],
        ['Scopes', html`<code>${scopes.join(' ')}</code>`],
      ]} />
    <//>
  `
}
