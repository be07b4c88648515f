import { useRef } from 'preact/hooks'
import { html, type View } from '../base/html.ts'
import { link, route } from '../base/route.ts'

interface PagerProps {
  /** The name and the value of the parameter that continues the list. Null on the last page. */
  readonly name: string
  readonly next: string | null
}

/** Links to the pages around this one. The addresses are real: the browser's own buttons work too. */
export function Pager({ name, next }: PagerProps): View {
  /** The address of the page before, for each page that was reached by "Next". */
  const before = useRef(new Map<string, string>()).current
  const { path, query } = route.value
  const others = Object.fromEntries([...query].filter(([parameter]) => parameter !== name))
  const here = link(path, { ...others, [name]: query.get(name) })
  const following = next === null ? undefined : link(path, { ...others, [name]: next })
  if (following) before.set(following, here)
  const previous = before.get(here)
  if (!following && !query.has(name)) return null
  return html`
    <nav class="pager" aria-label="Pages of this list">
      ${query.has(name) && html`<a class="button" href=${link(path, others)}>First page</a>`}
      ${previous && html`<a class="button" href=${previous}>Previous</a>`}
      ${following && html`<a class="button" href=${following}>Next</a>`}
    </nav>
  `
}
