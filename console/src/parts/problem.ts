import { html, type View } from '../base/html.ts'
import type { Refusal } from '../service/request.ts'

interface ProblemProps {
  readonly error: Refusal
  readonly onRetry?: () => void
}

/** Shows a refusal in the words of the service, with the id that finds it in the logs. */
export function ProblemBlock({ error, onRetry }: ProblemProps): View {
  return html`
    <div class="problem" role="alert">
      <p><strong>${error.title}</strong> <code>${error.code}</code></p>
      <p>${error.message}</p>
      <p class="actions">
        ${onRetry && html`<button type="button" onClick=${onRetry}>Try again</button>`}
        ${error.requestId && html`<span class="muted">Request <code>${error.requestId}</code></span>`}
      </p>
    </div>
  `
}
