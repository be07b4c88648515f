import { type Line, TOPICS } from './plan.ts'
import type { Summary } from './summary.ts'

/** GitHub refuses a comment of more than 65,536 characters. */
const MAX_COMMENT_CHARS = 60_000

export interface Report {
  readonly summary: Summary
  /** The engine's own text. */
  readonly details: string
  /** The sentence about the stack of the pull request, if there is one. */
  readonly ownStack: string | undefined
}

const FINAL = 'Cannot be undone: '

/** Formats the report for a terminal. The engine's own text follows if there is a change. */
export function formatText({ summary, details, ownStack }: Report): string {
  const rows = rowsOf(summary, ownStack).flatMap(([title, texts]) =>
    texts.map((text, at) => `  ${(at === 0 ? title : '').padEnd(10)}${text}`),
  )
  const isWhole = summary.isChange || summary.errors.length > 0
  return [
    summary.headline,
    ...rows,
    ...(isWhole && details ? ['', 'In the words of the engine:', details] : []),
  ].join('\n')
}

/** Formats the report as Markdown for a comment. */
export function formatMarkdown(stack: string, { summary, details, ownStack }: Report): string {
  const rows = rowsOf(summary, ownStack).flatMap(([title, texts]) =>
    texts.length === 1
      ? [`- **${title}**: ${inert(texts[0] ?? '')}`]
      : [`- **${title}**:`, ...texts.map((text) => `  - ${inert(text)}`)],
  )
  const head = [`### Preview of \`${stack}\``, '', inert(summary.headline), '', ...rows, ''].join('\n')
  const room = MAX_COMMENT_CHARS - head.length
  const shown =
    details.length > room
      ? `${details.slice(0, room)}\n... cut here: the log of the job has all of it`
      : details
  return `${head}
<details><summary>In the words of the engine</summary>

\`\`\`\`diff
${shown}
\`\`\`\`

</details>
`
}

type Row = readonly [title: string, texts: readonly string[]]

function rowsOf(
  { isChange, lines, policies, warnings, errors }: Summary,
  ownStack: string | undefined,
): readonly Row[] {
  const topics = TOPICS.map((topic): Row => [topic, textsOf(lines.filter((line) => line.topic === topic))])
  const changes = topics.map(([title, texts]): Row => [title, texts.length > 0 ? texts : ['no change']])
  const isShown = ([title, texts]: Row) => title !== 'other' || texts[0] !== 'no change'
  return [
    ...(errors.length > 0 ? [['refused', errors] as const] : []),
    ...(warnings.length > 0 ? [['warning', warnings] as const] : []),
    ...(isChange && errors.length === 0 ? changes.filter(isShown) : []),
    ['policies', policies],
    ...(ownStack ? [['own stack', [ownStack]] as const] : []),
  ]
}

/** The sentences without repetitions, those that cannot be undone first. */
function textsOf(lines: readonly Line[]): readonly string[] {
  const final = lines.filter(({ isFinal }) => isFinal).map(({ text }) => FINAL + text)
  const others = lines.filter(({ isFinal }) => !isFinal).map(({ text }) => text)
  return [...new Set([...final, ...others])]
}

/** Keeps values of settings from being read as Markdown or HTML. */
function inert(text: string): string {
  return text.replaceAll(/[\\`*<[\]]/g, '\\$&')
}
