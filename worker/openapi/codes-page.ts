import type { FaultCode } from '../src/core/fault.ts'
import { ENDINGS as CLOSES, type SocketEnding } from '../src/core/socket-ending.ts'
import { ACTIONS, type Action, ENDINGS, REJECTIONS } from './codes/actions.ts'
import { REFUSALS, statusOf } from './codes/refusals.ts'

/** docs/codes.md: all codes on one page, made of the texts of the document. */
export function codesPage(): string {
  const actions = Object.entries(ACTIONS).map(([action, sentence]) => [`\`${action}\``, sentence])
  const refusals = Object.entries(REFUSALS).map(([code, advice]) => [
    `\`${code}\``,
    String(statusOf(code as FaultCode)),
    ...cells(advice),
  ])
  const rejections = Object.entries(REJECTIONS).map(([code, advice]) => [`\`${code}\``, ...cells(advice)])
  const endings = Object.entries(ENDINGS).map(([ending, advice]) => {
    const [code, reason] = CLOSES[ending as SocketEnding]
    return [String(code), reason, ...cells(advice)]
  })
  return `# Codes, and what a client does about each

\`npm run fix\` writes this page. docs/openapi.json has the same: \`x-action\` in the schema of each code, \`x-codes\` for
all codes. A client that knows the actions needs to know few codes by name: those of \`renumber\`, and \`atomic-failed\`.

${table(['action', 'instruction'], actions)}

An edit stays in the queue until a result for it comes, or a sentence below says to drop it. Treat an unknown code by its
status: 5xx and 408 as \`retry\`, 429 as \`wait\`, 401 as \`sign-in\`, any other as \`fix\`.

## A request is refused

${table(['code', 'status', 'action', 'description'], refusals)}

## A change is rejected

Other changes of the batch are not affected. The rejection is final: the change leaves the queue. With \`show\`, show it to
the user.

${table(['code', 'action', 'description'], rejections)}

## A socket ends

${table(['code', 'reason', 'action', 'then'], endings)}
`
}

function cells([action, sentence]: readonly [Action, string, ...unknown[]]): readonly string[] {
  return [`\`${action}\``, sentence]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
