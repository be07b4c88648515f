import { DurableObject } from 'cloudflare:workers'
import type { ListedSpace, Listing, Totals } from '../../core/report/listing.ts'
import type { SpaceReport } from '../../core/report/report.ts'
import { createTables } from './registry-tables.ts'
import { type SpaceRows, spaceRows } from './space-rows.ts'

/**
 * The Durable Object of one shard of the registry, which lists the spaces of a stack: nothing else knows all of them.
 * The Worker reads it for an operator. Spaces report to it, at most hourly unless something crosses a threshold.
 */
export class Registry extends DurableObject<Env> {
  readonly #rows: SpaceRows

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    createTables(ctx.storage)
    this.#rows = spaceRows(ctx.storage.sql)
  }

  /** Takes the report of a space, unless a later one has arrived before. */
  async report(report: SpaceReport): Promise<void> {
    this.#rows.put(report)
  }

  /** Takes an erased space out of the lists. `at`: when it is told, ms. */
  async forget(space: string, at: number): Promise<void> {
    this.#rows.forget(space, at)
  }

  /** Counts unexpected errors, which no space may have seen. */
  async countDefects(count: number): Promise<void> {
    this.#rows.countDefects(count)
  }

  async has(space: string): Promise<boolean> {
    return this.#rows.has(space)
  }

  async list(listing: Listing): Promise<readonly ListedSpace[]> {
    return this.#rows.list(listing)
  }

  async totals(): Promise<Totals> {
    return this.#rows.totals()
  }
}
