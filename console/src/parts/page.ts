import { useId } from 'preact/hooks'
import { html, type View } from '../base/html.ts'

interface PageProps {
  readonly title: string
  /** Stands beside the title. */
  readonly actions?: View
  readonly children: View
}

/** A page with its heading, to which the focus moves after a navigation. */
export function Page({ title, actions, children }: PageProps): View {
  return html`
    <header class="page-head">
      <h1 tabindex="-1">${title}</h1>
      <div class="actions">${actions}</div>
    </header>
    ${children}
  `
}

interface SectionProps {
  readonly title: View
  /** Stands beside the title. */
  readonly tools?: View
  readonly class?: string
  readonly children: View
}

/** A part of a page, with its heading. */
export function Section({ title, tools, class: name, children }: SectionProps): View {
  const id = useId()
  return html`
    <section aria-labelledby=${id} class=${name}>
      <div class="tools"><h2 id=${id}>${title}</h2>${tools}</div>
      ${children}
    </section>
  `
}

/** A group of facts: names with their values. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: View])[]
}): View {
  return html`
    <dl class="facts">
      ${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  `
}
