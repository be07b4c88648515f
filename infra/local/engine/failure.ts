import { stripVTControlCharacters } from 'node:util'

/**
 * Describes in one line why the program ended. Messages for people are kept. An exception, which the launcher prints
 * with source and stack, is reduced to its position in the project and its message.
 */
export function describeFailure(report: string, root: string): string {
  const text = stripVTControlCharacters(report)
    .trim()
    .replaceAll(`file://${root}/`, '')
    .replaceAll(`${root}/`, '')
  if (!text.startsWith('Running program')) return text
  const message = (/^\w*Error\b.*$/m.exec(text)?.[0] ?? text.split('\n')[1] ?? text).replace(/^Error: /, '')
  const position = /\binfra\/[\w./-]+\.ts:\d+(:\d+)?/.exec(text)?.[0]
  return position && !message.includes(position) ? `${position}: ${message}` : message
}
