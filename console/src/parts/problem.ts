import { html, type View } from '../base/html.ts'
import type { Refusal } from '../service/request.ts'

interface ProblemProps {
  readonly error: Refusal
  readonly onRetry?: () => void
  /** Called to read again what somebody else has changed meanwhile. */
  readonly onStale?: () => void
}

/** Shows a refusal in the words of the service, with the id that finds it in the logs. */
export function ProblemBlock({ error, onRetry, onStale }: ProblemProps): View {
  const [verb, act] = error.code === 'stale-base' ? ['Read again', onStale] : ['Try again', onRetry]
  return html`
    <div class="problem" role="alert">
      <p><strong>${error.title}</strong> <code>${error.code}</code></p>
      <p>${error.message}</p>
      <p class="actions">
        ${act && html`<button type="button" onClick=${act}>${verb}</button>`}
        ${error.requestId && html`<span class="muted">Request <code>${error.requestId}</code></span>`}
      </p>
    </div>
  `
}
