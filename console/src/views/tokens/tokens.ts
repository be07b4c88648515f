import { useState } from 'preact/hooks'
import { shorten } from '../../base/format.ts'
import { html, type View } from '../../base/html.ts'
import { withQuery } from '../../base/query.ts'
import { link, route } from '../../base/route.ts'
import type { TokenRecord, TokenReply, TokensReply } from '../../base/wire.ts'
import { List } from '../../parts/list.ts'
import { useReply } from '../../parts/load.ts'
import { tell } from '../../parts/notice.ts'
import { Page } from '../../parts/page.ts'
import type { Column } from '../../parts/table.ts'
import { Time } from '../../parts/time.ts'
import { Mint } from './mint.ts'
import { NewToken } from './new-token.ts'
import { Revoke } from './revoke.ts'
import { Rotate } from './rotate.ts'

/** The act that the operator has begun, and its token. */
type Step =
  | { readonly name: 'mint' }
  | { readonly name: 'rotate' | 'revoke'; readonly token: TokenRecord }
  | { readonly name: 'show'; readonly token: TokenReply }

/** The API tokens of all spaces. */
export function Tokens(): View {
  const [step, setStep] = useState<Step>()
  const cursor = route.value.query.get('cursor')
  const load = useReply<TokensReply>(withQuery('/api/tokens', { cursor }))
  const close = () => setStep(undefined)
  const finish = (word: string) => {
    close()
    tell(word)
    load.reload()
  }
  const show = (token: TokenReply) => {
    setStep({ name: 'show', token })
    load.reload()
  }
  const mint = html`<button type="button" class="primary" onClick=${() => setStep({ name: 'mint' })}>Mint a token</button>`
  return html`
    <${Page} title="Tokens" actions=${mint}>
      <p class="muted">A token opens one space. Tokens are listed, and forgotten, within a minute.</p>
      ${step?.name === 'mint' && html`<${Mint} onClose=${close} onMinted=${show} />`}
      ${step?.name === 'rotate' && html`<${Rotate} token=${step.token} onClose=${close} onRotated=${show} />`}
      ${step?.name === 'revoke' && html`<${Revoke} token=${step.token} onClose=${close} onRevoked=${() => finish('The token is revoked, and its sessions have ended.')} />`}
      ${step?.name === 'show' && html`<${NewToken} token=${step.token} onClose=${close} />`}
      <${List} load=${load} pick=${({ tokens }: TokensReply) => tokens} caption="Tokens" columns=${columnsOf(setStep)} keyOf=${({ id }: TokenRecord) => id} parameter="cursor">
        There are no tokens. Mint one for the first device.
      <//>
    <//>
  `
}

function columnsOf(onStep: (step: Step) => void): readonly Column<TokenRecord>[] {
  return [
    { title: 'Name', show: ({ name, id }) => name ?? html`<code title=${id}>${shorten(id)}</code>` },
    { title: 'Subject', show: ({ subject }) => subject },
    { title: 'Space', show: ({ space }) => html`<a href=${link(['space', space])}>${space}</a>` },
    {
      title: 'Grants',
      show: ({ scopes, collections }) => html`
        ${scopes.map((scope) => html`<code key=${scope} class="whole">${scope}</code> `)}
        ${collections && html` <span class="muted">in ${collections.join(', ')}</span>`}
      `,
    },
    { title: 'Minted', show: ({ createdAt }) => html`<${Time} at=${createdAt} />` },
    { title: 'Expires', show: ({ expiresAt }) => html`<${Time} at=${expiresAt} none="never" />` },
    {
      title: 'Acts',
      show: (token) => html`
        <span class="actions">
          <button type="button" aria-label=${`Rotate ${labelOf(token)}`} onClick=${() => onStep({ name: 'rotate', token })}>Rotate</button>
          <button type="button" class="danger" aria-label=${`Revoke ${labelOf(token)}`} onClick=${() => onStep({ name: 'revoke', token })}>Revoke</button>
        </span>
      `,
    },
  ]
}

function labelOf({ name, subject }: TokenRecord): string {
  return `${name ?? 'the token'} of ${subject}`
}
