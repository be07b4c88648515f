import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const rules = idsIn(readFileSync('docs/spec.md', 'utf8'), /^- \*\*([A-Z]{2}\d+)\*\*/gm)
const tests = globSync('test/{unit,worker,security,integration,simulation,clients}/**/*.test.ts').flatMap(
  (file) =>
    idsIn(readFileSync(file, 'utf8'), /(?:^\s*test(?:\.concurrent)?|\))\(\s*['"`]\[([A-Z]{2}\d+)\]/gm),
)

function idsIn(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, id]) => id as string)
}

test('every rule of docs/spec.md has a test, and every tagged test a rule', () => {
  expect(rules.length).toBeGreaterThan(60)
  expect(new Set(rules).size).toBe(rules.length)
  expect([...new Set(tests)].sort()).toEqual([...rules].sort())
})

test('what docs/security.md names is a rule', () => {
  const named = idsIn(readFileSync('docs/security.md', 'utf8'), /\b([A-Z]{2}\d+)\b/g)
  expect(named.length).toBeGreaterThan(60)
  expect(named.filter((id) => !rules.includes(id))).toEqual([])
})
