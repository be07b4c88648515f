import { useEffect, useState } from 'preact/hooks'
import { html, type View } from '../base/html.ts'
import { useAct } from '../forms/act.ts'
import { submitting, TextField } from '../forms/field.ts'
import { ProblemBlock } from '../parts/problem.ts'
import { isExchanging } from '../service/one-time-code.ts'
import { signIn, signInReason } from '../service/operator.ts'

/** Asks for the admin token. */
export function SignIn(): View {
  const [token, setToken] = useState('')
  const act = useAct()
  useEffect(() => document.querySelector('input')?.focus(), [isExchanging.value])
  const submit = submitting(() => act.start(() => signIn(token.trim())))
  if (isExchanging.value)
    return html`<h1>ChronicleSync console</h1><p role="status">Signing in with the one-time code…</p>`
  return html`
    <p class="brand">Chronicle<span>Sync</span></p>
    <h1 tabindex="-1">Sign in to the console</h1>
    <div role="status">${signInReason.value && html`<p class="reason">${signInReason.value}</p>`}</div>
    <form onSubmit=${submit}>
      <${TextField} label="Admin token" hint="This tab forgets it when you sign out or close the tab."
        type="password" autocomplete="current-password" required text=${token} onText=${setToken} />
      ${act.error && html`<${ProblemBlock} error=${act.error} />`}
      <button class="primary" aria-disabled=${act.isBusy}>${act.isBusy ? 'Signing in…' : 'Sign in'}</button>
    </form>
    <p class="muted">On this machine, <code>npm start</code> writes it into <code>.local/outputs.json</code>. A deployed
      stack has it as its output <code>adminToken</code>.</p>
  `
}
