import { afterAll, expect } from 'vitest'
import { secretsIn } from './secrets.ts'

/** All that the Worker logs while a test file runs is read here, and must hold no secret ([SC8]). */
const leaks: string[] = []
let lines = 0

for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
  const print = console[level]
  console[level] = (...said: unknown[]) => {
    const line = said.map(textOf).join(' ')
    lines += 1
    for (const kind of secretsIn(line)) leaks.push(`${kind}: ${line}`)
    if (!line.startsWith('{"level":')) print(...said)
  }
}

function textOf(said: unknown): string {
  return said instanceof Error ? `${said.stack} ${said.cause}` : String(said)
}

/** How many lines were logged so far, and those with a secret in them. */
export function witnessed(): { readonly lines: number; readonly leaks: readonly string[] } {
  return { lines, leaks }
}

afterAll(() => {
  expect(leaks.slice(0, 10)).toEqual([])
})
