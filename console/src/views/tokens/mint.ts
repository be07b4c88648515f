import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import type { TokenReply, TokenRequest } from '../../base/wire.ts'
import { useAct } from '../../forms/act.ts'
import { Dialog } from '../../forms/dialog.ts'
import { faultAt } from '../../forms/fault.ts'
import { Choices, submitting, TextField } from '../../forms/field.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { ask } from '../../service/operator.ts'
import { Refusal } from '../../service/request.ts'

const SCOPES = [
  'sync:read',
  'sync:write',
  'space:read',
  'space:admin',
  'metrics:read',
] as const satisfies TokenRequest['scopes']

const FIELDS = [
  { name: 'subject', label: 'Subject', hint: 'The holder of the token.', required: true, autofocus: true },
  { name: 'space', label: 'Space', hint: 'Empty: the one with the name of the subject.' },
  { name: 'name', label: 'Name', hint: 'For operators, such as the name of the device.' },
  { name: 'collections', label: 'Collections', hint: 'Separated by commas. Empty: all of them.' },
  { name: 'expiresAt', label: 'Expires', hint: 'Empty: never.', type: 'datetime-local' },
] as const

type Texts = Readonly<Record<(typeof FIELDS)[number]['name'], string>>

const EMPTY: Texts = { subject: '', space: '', name: '', collections: '', expiresAt: '' }

interface MintProps {
  readonly onClose: () => void
  readonly onMinted: (token: TokenReply) => void
}

/** Makes a token. */
export function Mint({ onClose, onMinted }: MintProps): View {
  const [texts, setTexts] = useState(EMPTY)
  const [scopes, setScopes] = useState<readonly string[]>(['sync:read', 'sync:write'])
  const { isBusy, error, start } = useAct()
  const mint = async () => {
    const body = requestOf(
      texts,
      SCOPES.filter((scope) => scopes.includes(scope)),
    )
    const detail = faultIn(body)
    if (detail) throw new Refusal({ code: 'invalid-request', title: '', detail })
    onMinted(await ask<TokenReply>('/api/tokens', { method: 'POST', body }))
  }
  const isPlaced = [...Object.keys(texts), 'scopes'].some((name) => faultAt(error, name))
  return html`
    <${Dialog} title="Mint a token" onClose=${onClose}>
      <form onSubmit=${submitting(() => start(mint))}>
        ${FIELDS.map(
          ({ name, ...others }) => html`
            <${TextField} key=${name} ...${others} error=${faultAt(error, name)} text=${texts[name]}
              onText=${(text: string) => setTexts({ ...texts, [name]: text })} />
          `,
        )}
        <${Choices} label="Scopes" options=${SCOPES} chosen=${scopes} onChoose=${setScopes} error=${faultAt(error, 'scopes')} />
        ${error && !isPlaced && html`<${ProblemBlock} error=${error} />`}
        <button class="primary" aria-disabled=${isBusy}>Mint</button>
      </form>
    <//>
  `
}

/** The fault that the service would tell in words for programs. */
function faultIn({ scopes, expiresAt }: TokenRequest): string | undefined {
  if (scopes.length === 0) return 'scopes: Choose at least one.'
  return expiresAt && expiresAt <= Date.now() ? 'expiresAt: This time is in the past.' : undefined
}

function requestOf(texts: Texts, scopes: TokenRequest['scopes']): TokenRequest {
  const { subject, space, name, expiresAt } = texts
  const collections = texts.collections.split(',').map((part) => part.trim())
  return {
    subject,
    scopes,
    ...(space && { space }),
    ...(name && { name }),
    ...(expiresAt && { expiresAt: new Date(expiresAt).getTime() }),
    ...(texts.collections.trim() && { collections }),
  }
}
