import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const rules = idsIn(readFileSync('docs/spec.md', 'utf8'), /^- \*\*([A-Z]{2}\d+)\*\*/gm)
const tests = globSync(
  'test/{unit,worker,security,integration,simulation,client,browser,clients}/**/*.test.ts',
).flatMap((file) =>
  idsIn(readFileSync(file, 'utf8'), /(?:^\s*test(?:\.concurrent)?|\))\(\s*['"`]\[([A-Z]{2}\d+)\]/gm),
)

function idsIn(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, id]) => id as string)
}

test('has a test for every rule of docs/spec.md, and a rule for every tagged test', () => {
  expect(rules.length).toBeGreaterThan(60)
  expect(new Set(rules).size).toBe(rules.length)
  expect([...new Set(tests)].sort()).toEqual([...rules].sort())
})

test('has a rule for every id that docs/security.md names', () => {
  const named = idsIn(readFileSync('docs/security.md', 'utf8'), /\b([A-Z]{2}\d+)\b/g)
  expect(named.length).toBeGreaterThan(60)
  expect(named.filter((id) => !rules.includes(id))).toEqual([])
})
