import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from './chromium.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Findings that bar somebody from the page, or nearly so. */
const GRAVE = ['serious', 'critical']

interface Finding {
  readonly id: string
  readonly impact: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/**
 * Lists the serious and critical findings of axe-core about a page. The DevTools protocol brings axe-core into the page,
 * so that its policy stays as it is.
 */
export async function graveFindings(page: Page): Promise<readonly string[]> {
  if (!(await page.run('"axe" in globalThis'))) await page.run(`${AXE};0`)
  const run = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`
  const findings = (await page.run(run)) as readonly Finding[]
  return findings
    .filter(({ impact }) => GRAVE.includes(impact))
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`),
    )
}
