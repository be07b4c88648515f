import { expect } from 'vitest'
import { syncs, type Tab, testInBrowser, until, withStage } from './stage.ts'

const stage = withStage()

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
      for (const [round, enough] of [30, 200, 90].entries()) {
        const tab = await open()
        // Some answers are lost, so that batches wait that the service has taken already.
        relay.rule = ({ path }) => (path === '/api/sync' && round % 2 === 0 ? 'lose' : 'pass')
        void tab.run((name) => writeMany(name, 5_000), `r${round}-`).catch(() => {})
        await until(() => tab.reports.length > enough)
        await end(tab)
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
