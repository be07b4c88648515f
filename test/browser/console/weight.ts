import { expect } from 'vitest'
import type { Operator } from './with-console.ts'

/** How much a page may grow from its first quarter to its last one: MB of its heap, and the factor of its nodes. */
const HEAP_GROWTH = 0.5
const NODES_GROWTH = 1.2

/** Memory of a page after a collection. */
export interface Weight {
  /** JavaScript heap, MB. */
  readonly heap: number
  /** Nodes of the document, also those that only a script still holds. */
  readonly nodes: number
}

export async function weigh({ page }: Operator): Promise<Weight> {
  await page.call('HeapProfiler.collectGarbage')
  const { usedSize } = await page.call('Runtime.getHeapUsage')
  const { nodes } = await page.call('Memory.getDOMCounters')
  return { heap: usedSize / 1e6, nodes }
}

/** Expects the last quarter of the weights to be like the first one. Returns the words for a report. */
export function expectFlat(weights: readonly Weight[]): string {
  const length = Math.ceil(weights.length / 4)
  const [first, last] = [meanOf(weights.slice(0, length)), meanOf(weights.slice(-length))]
  expect(last.heap - first.heap, JSON.stringify(weights)).toBeLessThan(HEAP_GROWTH)
  expect(last.nodes / first.nodes, JSON.stringify(weights)).toBeLessThan(NODES_GROWTH)
  const told = ({ heap, nodes }: Weight) => `${heap.toFixed(2)} MB with ${Math.round(nodes)} nodes`
  return `first quarter ${told(first)}, last quarter ${told(last)}`
}

function meanOf(weights: readonly Weight[]): Weight {
  const mean = (name: keyof Weight) => weights.reduce((sum, weight) => sum + weight[name], 0) / weights.length
  return { heap: mean('heap'), nodes: mean('nodes') }
}
