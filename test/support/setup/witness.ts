import { inspect } from 'node:util'
import { afterAll, expect } from 'vitest'
import { mismatches } from '../documented.ts'
import { credentialsIn, secretsIn } from '../secrets.ts'

/** Log lines of a test file that hold a secret. There must be no such line ([SC8]). */
const leaks: string[] = []
let lines = 0
/** Collects lines in place of printing them, for `overhear` and `hush`. */
let overheard: string[] | null = null

/** Original methods, restored after the file. Test files share a runtime, so a file would otherwise hear all later ones. */
const before = { ...console }

for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
  const print = console[level]
  console[level] = (...said: unknown[]) => {
    const line = said.map(textOf).join(' ')
    lines += 1
    for (const kind of secretsIn(line)) leaks.push(`${kind}: ${line}`)
    if (overheard !== null) overheard.push(line)
    else if (!line.startsWith('{"level":"info"')) print(...said)
  }
}

/** Formats a logged value as it would be printed, nested values included. */
function textOf(said: unknown): string {
  return typeof said === 'string' ? said : inspect(said, { depth: 9, maxStringLength: null })
}

/** Returns the number of lines logged so far, and the lines with a secret. */
export function witnessed(): { readonly lines: number; readonly leaks: readonly string[] } {
  return { lines, leaks }
}

/** Returns the lines logged during `work`. A test that replaces `console` itself would escape the check. */
export async function overhear(work: () => Promise<unknown>): Promise<readonly string[]> {
  const found: string[] = []
  const outer = overheard
  overheard = found
  try {
    await work()
  } finally {
    overheard = outer
  }
  return found
}

/** Stops printing: the failures of this test file are intended. */
export function hush(): void {
  overheard = []
}

/** Checks any other text from the Worker, which must hold no credential. */
export function examine(what: string, text: string): void {
  for (const kind of credentialsIn(text)) leaks.push(`${kind} in ${what}: ${text}`)
}

/** Checks a frame from the Worker, which must hold no credential and be as documented ([OA5]). */
export function examineFrame(text: string): void {
  examine('a frame', text)
  for (const odd of mismatches('ServerFrame', JSON.parse(text))) leaks.push(`a frame, ${odd}: ${text}`)
}

afterAll(() => {
  Object.assign(console, before)
  expect(leaks.slice(0, 10)).toEqual([])
})
