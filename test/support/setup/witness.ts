import { inspect } from 'node:util'
import { afterAll, expect } from 'vitest'
import { mismatches } from '../documented.ts'
import { credentialsIn, secretsIn } from '../secrets.ts'

/** All that the Worker logs while a test file runs is read here, and must hold no secret ([SC8]). */
const leaks: string[] = []
let lines = 0
/** Where lines go that somebody waits for, in place of being printed. */
let overheard: string[] | null = null

/** What was there before. Test files share a runtime: without it, each would hear of all that come after. */
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

/** As it would be printed, with what is inside. */
function textOf(said: unknown): string {
  return typeof said === 'string' ? said : inspect(said, { depth: 9, maxStringLength: null })
}

/** How many lines were logged so far, and those with a secret in them. */
export function witnessed(): { readonly lines: number; readonly leaks: readonly string[] } {
  return { lines, leaks }
}

/** The lines that are logged meanwhile. A test that puts something in the place of `console` hears what nobody checks. */
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

/** Prints nothing from now on: the failures of this test file are meant. */
export function hush(): void {
  overheard = []
}

/** Whatever else came from the Worker: it must hold no credential. */
export function examine(what: string, text: string): void {
  for (const kind of credentialsIn(text)) leaks.push(`${kind} in ${what}: ${text}`)
}

/** A frame that the Worker sent: it must hold no credential, and be as documented ([OA5]). */
export function examineFrame(text: string): void {
  examine('a frame', text)
  for (const odd of mismatches('ServerFrame', JSON.parse(text))) leaks.push(`a frame, ${odd}: ${text}`)
}

afterAll(() => {
  Object.assign(console, before)
  expect(leaks.slice(0, 10)).toEqual([])
})
