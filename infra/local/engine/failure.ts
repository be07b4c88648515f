import { stripVTControlCharacters } from 'node:util'

/**
 * One line for what ended the program. Messages that are meant for people pass as they are; of an
 * exception, what the launcher prints with source and stack, the place in the project and the message.
 */
export function describeFailure(report: string, root: string): string {
  const text = stripVTControlCharacters(report)
    .trim()
    .replaceAll(`file://${root}/`, '')
    .replaceAll(`${root}/`, '')
  if (!text.startsWith('Running program')) return text
  const message = (/^\w*Error\b.*$/m.exec(text)?.[0] ?? text.split('\n')[1] ?? text).replace(/^Error: /, '')
  const place = /\binfra\/[\w./-]+\.ts:\d+(:\d+)?/.exec(text)?.[0]
  return place && !message.includes(place) ? `${place}: ${message}` : message
}
