import { expect } from 'vitest'
import type { Seen } from '../support/browser/relay.ts'
import { isPush, syncs, type Tab, testInBrowser, until, withoutSockets, withStage } from './stage.ts'

const stage = withStage()

const EDITS = 5_000

type Ending = (tab: Tab) => Promise<unknown>

const ENDINGS: Readonly<Record<string, Ending>> = {
  'the page is reloaded': (tab) => tab.reload(),
  'the tab is closed': (tab) => tab.close(),
  'the renderer crashes': (tab) => tab.call('Page.crash').catch(() => {}),
}

for (const [what, end] of Object.entries(ENDINGS))
  testInBrowser(
    `has every saved edit on the service, once, after ${what} in the middle of a write`,
    async () => {
      const { open, relay, reader } = await stage.scene()
      let lost = 0
      const losing = (seen: Seen) => {
        if (seen.path !== '/api/sync') return withoutSockets(seen)
        if (isPush(seen)) lost += 1
        return 'lose'
      }
      for (const [round, enough] of [30, 200, 90].entries()) {
        // Answers are lost in two rounds, so that batches wait that the service has taken already.
        const isLosing = round % 2 === 0
        relay.rule = isLosing ? losing : () => 'pass'
        const before = lost
        const tab = await open()
        void tab.run((name, count) => writeMany(name, count), `r${round}-`, EDITS).catch(() => {})
        await until(() => tab.reports.length > enough && (!isLosing || lost > before))
        await end(tab)
        expect(tab.reports.length).toBeLessThan(EDITS)
        relay.rule = () => 'pass'
        const next = await open()
        await syncs(next)
        const { notes, versions } = await reader.held()
        expect(tab.reports.filter((id) => !notes.has(id))).toEqual([])
        expect(versions).toBe(notes.size)
        expect(await next.run(() => listUnsynced())).toEqual([])
        await next.close()
        await tab.close().catch(() => {})
      }
    },
  )
