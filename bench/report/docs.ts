import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../infra/cli/root.ts'
import type { FannedOut } from '../fan-out/fan-out.ts'
import type { Sized } from '../sizes/sizes.ts'
import { type Plot, svgOf } from './plot.ts'
import { sizePlot, writePlot } from './plots.ts'
import { recordOf, type Summary } from './records.ts'
import {
  fanOutTable,
  markdown,
  type Started,
  shapeTitle,
  sizeTable,
  startTable,
  writeTable,
} from './tables.ts'

/** Everything that a whole run has measured. */
export interface Results {
  readonly writes: readonly Summary[]
  readonly fanOut: readonly FannedOut[]
  readonly sizes: readonly Sized[]
  readonly starts: readonly Started[]
}

const PAGE = join(ROOT, 'docs/performance.md')
const FOLDER = join(ROOT, 'docs/performance')

/** Replaces the tables, plots and records of docs/performance.md. Its words stay. */
export function writeDocs(results: Results): void {
  const { writes, fanOut, sizes, starts } = results
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'writes.json'), `${JSON.stringify(writes.map(recordOf), null, 2)}\n`)
  const parts = {
    machine: `Measured on ${new Date().toISOString().slice(0, 10)}, on ${availableParallelism()} processors.`,
    writes: shapesOf(writes).map(writesOf).join('\n\n'),
    sizes: `${picture('sizes', sizePlot(sizes))}\n\n${markdown(sizeTable(sizes))}`,
    'fan-out': markdown(fanOutTable(fanOut)),
    starts: markdown(startTable(starts)),
  }
  const page = Object.entries(parts).reduce(replacePart, readFileSync(PAGE, 'utf8'))
  writeFileSync(PAGE, page)
}

/** Replaces what stands between the marks of a part: `<!-- bench:name -->` and `<!-- /bench -->`. */
export function replacePart(page: string, [name, text]: readonly [name: string, text: string]): string {
  const [begin, end] = [`<!-- bench:${name} -->`, '<!-- /bench -->']
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`${PAGE} lacks the marks ${begin} and ${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`
}

/** The summaries of each shape of load. */
function shapesOf(writes: readonly Summary[]): readonly (readonly Summary[])[] {
  const titles = [...new Set(writes.map(shapeTitle))]
  return titles.map((title) => writes.filter((each) => shapeTitle(each) === title))
}

function writesOf(all: readonly Summary[]): string {
  const [first] = all
  if (first === undefined) return ''
  const name = `writes-${first.connections}-on-${first.spaces}`
  return `### ${shapeTitle(first)}\n\n${picture(name, writePlot(all))}\n\n${markdown(writeTable(all))}`
}

/** Draws a plot for both colour schemes. Returns the element that shows it. */
function picture(name: string, plot: Plot): string {
  for (const theme of ['light', 'dark'] as const)
    writeFileSync(join(FOLDER, `${name}-${theme}.svg`), svgOf(plot, theme))
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="performance/${name}-dark.svg">`,
    `  <img alt="${plot.title}" src="performance/${name}-light.svg">`,
    '</picture>',
  ].join('\n')
}
