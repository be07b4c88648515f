import { ratios, spread } from '../load/statistics.ts'
import type { Sized } from '../sizes/sizes.ts'
import type { Bar, Plot } from './plot.ts'
import { cpuOf, type Summary } from './records.ts'
import { FLOOR, shapeTitle } from './tables.ts'

/** The writes of servers under one shape of load, as parts of those of the bare object. */
export function writePlot(all: readonly Summary[]): Plot {
  const [first] = all
  const batches = [...new Set(all.map(({ batch }) => batch))]
  return {
    title: `Acknowledged requests, as parts of the bare object's: ${first ? shapeTitle(first) : ''}`,
    mark: 1,
    groups: batches.map((batch) => ({
      title: `${batch} change${batch === 1 ? '' : 's'} a request`,
      bars: barsOf(all.filter((each) => each.batch === batch)),
    })),
  }
}

function barsOf(rivals: readonly Summary[]): readonly Bar[] {
  const floor = rivals.find(({ server }) => server === FLOOR)
  return rivals.map(({ server, transport, rates }) => ({
    label: `${server}, ${transport}`,
    ...spread(ratios(rates, floor?.rates ?? rates)),
    ours: isOurs(server),
  }))
}

/** The processor time of work in large spaces, as multiples of that in the smallest. */
export function sizePlot(all: readonly Sized[]): Plot {
  const works = [...new Set(all.map(({ work }) => work))]
  return {
    title: 'Processor time, as a multiple of that in a space of 500 entries',
    mark: 1,
    groups: works.map((work) => ({
      title: work,
      bars: all.filter((each) => each.work === work).map((each) => sizeBar(all, each)),
    })),
  }
}

function sizeBar(all: readonly Sized[], { server, work, entries, rounds }: Sized): Bar {
  const smallest = all.find((other) => other.work === work && other.server === server)?.rounds ?? rounds
  const label = `${server}, ${entries.toLocaleString('en')}`
  const [mine, least] = [rounds, smallest].map((turns) => turns.map((turn) => cpuOf([turn])))
  return { label, ...spread(ratios(mine ?? [], least ?? [])), ours: isOurs(server) }
}

function isOurs(server: string): boolean {
  return server.startsWith('product')
}
