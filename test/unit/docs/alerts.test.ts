import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { metricsText } from '../../../worker/src/core/report/metrics.ts'

const Rule = z.strictObject({
  alert: z.string().startsWith('Chronicle'),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string().optional() }),
})
const Rules = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule) })) })

const RULES = Rules.parse(load(readFileSync('docs/alerts.yml', 'utf8'))).groups.flatMap(({ rules }) => rules)

/** Names of the series that the service gives, as Prometheus stores them. */
function given(): readonly string[] {
  const totals = {
    spaces: 1,
    entries: 1,
    bytes: 1,
    devices: 1,
    openConflicts: 1,
    nearQuota: 1,
    full: 1,
    upkeepFailing: 1,
    changes: 1,
    conflicts: 1,
    reports: 1,
    defects: 1,
  }
  const text = metricsText(totals, { VERSION: '1', STACK: 'dev', ENVIRONMENT: 'development' })
  return [...text.matchAll(/^(chronicle_\w+)(?:\{.*\})? \d/gm)].map(([, name = '']) => name)
}

test('has alert rules over metrics that the service gives', () => {
  const names = given()
  expect(names).toHaveLength(13)
  for (const { alert, expr } of RULES) {
    const asked = expr.match(/chronicle_\w+|up\{/g) ?? []
    expect(asked.length, alert).toBeGreaterThan(0)
    expect(
      asked.filter((name) => name !== 'up{' && !names.includes(name)),
      alert,
    ).toEqual([])
  }
})

test('explains each alert rule in the guide for operators, and no other', () => {
  const guide = readFileSync('docs/operations.md', 'utf8')
  const explained = [...guide.matchAll(/^\| `(Chronicle\w+)`/gm)].map(([, name]) => name)
  expect(explained.toSorted()).toEqual(RULES.map(({ alert }) => alert).toSorted())
})
