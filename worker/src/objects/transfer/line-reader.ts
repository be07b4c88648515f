import type { Fault } from '../../core/fault.ts'
import {
  BODY_DEADLINE_MS,
  IMPORT_BATCH_LENGTH,
  IMPORT_BATCH_LINES,
  MAX_BLANK_LINES,
  MAX_LINE_LENGTH,
} from '../../core/values/limits.ts'
import { AT_START, afterPart, patienceOf } from '../../core/values/pace.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'

/** The next lines of a text, as many as one transaction takes; none at its end. What is wrong comes after the rest. */
export type LineReader = () => Promise<Result<readonly string[], Fault>>

/**
 * Reads a stream of UTF-8 line by line, no further ahead than one transaction needs. Passes over a byte order mark at its
 * start and blank lines at its end, which editors and pipes add. Refuses a blank line before another one, a line that is
 * too long, bytes that are no text, and a stream that stalls. `first`: the number of its first line; `clock`: ms.
 */
export function lineReader(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: number,
  clock: () => number,
): LineReader {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  const lines: string[] = []
  let number = first
  let rest = ''
  let blanks = 0
  let ended = false
  let fault: Fault | null = null
  let pace = AT_START

  async function fill(): Promise<Fault | null> {
    const asked = clock()
    const part = await withDeadline(reader.read(), patienceOf(pace))
    if (part === null) return { code: 'body-timeout', afterMs: BODY_DEADLINE_MS }
    pace = afterPart(pace, part.value?.byteLength ?? 0, clock() - asked)
    const text = decode(part.value)
    if (text === null) return { code: 'not-utf8' }
    ended = part.done
    // The beginning of a line is not looked through again for each part of the rest.
    const [head = '', ...tail] = text.split('\n')
    const parts = [rest + head, ...tail]
    rest = parts.pop() ?? ''
    if (ended && rest !== '') parts.push(rest)
    if (!parts.every(take)) return badLine(number + lines.length, 'is blank')
    return rest.length > MAX_LINE_LENGTH
      ? badLine(number + lines.length + blanks, `longer than ${MAX_LINE_LENGTH} characters`)
      : null
  }

  /** Holds blank lines back; false where one is no last line. */
  function take(line: string): boolean {
    const isBlank = line.trim() === ''
    if (isBlank) blanks += 1
    else if (blanks === 0) lines.push(line)
    return blanks === 0 || (isBlank && blanks <= MAX_BLANK_LINES)
  }

  function decode(bytes: Uint8Array | undefined): string | null {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch {
      return null
    }
  }

  return async () => {
    while (!ended && fault === null && !isEnough(lines)) fault = await fill()
    if (fault !== null && lines.length === 0) return refused(fault)
    const batch = lines.splice(0, countOf(lines))
    number += batch.length
    return accepted(batch)
  }
}

function isEnough(lines: readonly string[]): boolean {
  return lines.length > IMPORT_BATCH_LINES || countOf(lines) < lines.length
}

/** How many of some lines one transaction takes. */
function countOf(lines: readonly string[]): number {
  let length = 0
  const over = lines.findIndex((line) => {
    length += line.length
    return length > IMPORT_BATCH_LENGTH
  })
  return Math.min(IMPORT_BATCH_LINES, over === -1 ? lines.length : Math.max(1, over))
}

function badLine(line: number, detail: string): Fault {
  return { code: 'invalid-line', line, detail }
}

/** The runtime waits for ever for a body that was only half sent. */
async function withDeadline<T>(reading: Promise<T>, ms: number): Promise<T | null> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), ms)
  try {
    return await Promise.race([reading, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
