import type { FaultCode } from '../src/core/fault.ts'
import { ENDINGS as CLOSES, type SocketEnding } from '../src/core/socket-ending.ts'
import { ACTIONS, type Advice, ENDINGS, REFUSALS, REJECTIONS } from './codes.ts'
import { statusOf } from './problems.ts'

/** docs/codes.md: all codes in one page, made of what the document says of each. */
export function codesPage(): string {
  const actions = Object.entries(ACTIONS).map(([action, sentence]) => [`\`${action}\``, sentence])
  const refusals = Object.entries(REFUSALS).map(([code, advice]) => [
    `\`${code}\``,
    String(statusOf(code as FaultCode)),
    ...told(advice),
  ])
  const rejections = Object.entries(REJECTIONS).map(([code, advice]) => [`\`${code}\``, ...told(advice)])
  const endings = Object.entries(ENDINGS).map(([ending, advice]) => {
    const [code, reason] = CLOSES[ending as SocketEnding]
    return [String(code), reason, ...told(advice)]
  })
  return `# Codes, and what a client does for each

\`npm run fix\` writes this page; docs/openapi.json has the same: \`x-action\` in the schema of each code, \`x-codes\` for
all. A client that knows the actions needs to know few codes by name: those of \`renumber\`, and \`atomic-failed\`.

${table(['action', 'the client'], actions)}

An edit stays in the queue until a result answers it, or a sentence below takes it out. A code that a client does not
know is treated by its status: 5xx and 408 as \`retry\`, 429 as \`wait\`, 401 as \`sign-in\`, any other as \`fix\`.

## A request is refused

${table(['code', 'status', 'action', 'what it means'], refusals)}

## A change is rejected

Its neighbours are not. The rejection is final: the change leaves the queue, with \`show\` to be shown to the user.

${table(['code', 'action', 'what it means'], rejections)}

## A socket ends

${table(['code', 'reason', 'action', 'then'], endings)}
`
}

function told([action, sentence]: Advice): readonly string[] {
  return [`\`${action}\``, sentence]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
