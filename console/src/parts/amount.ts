import { html, type View } from '../base/html.ts'

/** The share of a quota from which on a space needs attention. */
const NEAR = 0.9

interface AmountProps {
  readonly used: number
  readonly limit: number
  readonly label: string
  readonly format: (amount: number) => string
}

/** An amount in use, beside its quota. */
export function Amount({ used, limit, label, format }: AmountProps): View {
  return html`
    <span class="amount">
      <span>${format(used)} <span class="muted">of ${format(limit)}</span></span>
      <meter aria-label=${label} max=${limit} high=${limit * NEAR} optimum="0" value=${used}></meter>
    </span>
  `
}
