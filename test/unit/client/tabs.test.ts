import { describe, expect, test } from 'vitest'
import { Tabs } from '../../../client/src/device/tabs.ts'
import { newState, stateInTerm } from '../../../client/src/replica/state.ts'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import type { Store } from '../../../client/src/store/store.ts'
import { deferred } from '../../../client/src/values/deferred.ts'
import { Hand, settle } from '../../support/client/hand.ts'
import { contentOf, type HandOptions, handDevice, stateOf } from '../../support/client/hand-device.ts'
import { HandTabs } from '../../support/client/hand-tabs.ts'
import { isPush, PlainService, problem } from '../../support/client/plain-service.ts'
import { found } from '../../support/client/rows.ts'

interface Beat {
  readonly from: string
}

/** A tab with a clock of its own, so that a test can freeze it. */
function openTab(browser: HandTabs, name: string, store = 'store') {
  const hand = new Hand()
  const log: string[] = []
  const heard: string[] = []
  const tabs = new Tabs<Beat>({
    name: store,
    platform: hand.platform(undefined, browser.platform()),
    onMessage: ({ from }) => heard.push(from),
    onLead: () => log.push('leads'),
    onDeposed: () => log.push('follows'),
    beat: () => ({ from: name }),
  })
  tabs.start()
  return { tabs, log, heard, hand }
}

const pass = async (ms: number, ...tabs: { readonly hand: Hand }[]) => {
  for (let passed = 0; passed < ms; passed += 500) for (const { hand } of tabs) await hand.pass(500)
}

test('the first tab leads, and the next one follows until the first is closed', async () => {
  const browser = new HandTabs()
  const first = openTab(browser, 'first')
  const second = openTab(browser, 'second')
  await settle()
  expect([first.log, second.log]).toEqual([['leads'], []])
  first.tabs.stop()
  await settle()
  expect(second.log).toEqual(['leads'])
  expect(second.tabs.isLeading).toBe(true)
})

test('the leader shows that it runs, and nobody takes over', async () => {
  const browser = new HandTabs()
  const first = openTab(browser, 'first')
  const second = openTab(browser, 'second')
  await pass(60_000, first, second)
  expect([first.log, second.log]).toEqual([['leads'], []])
  expect(second.heard.length).toBeGreaterThan(15)
})

describe('a leader that is frozen', () => {
  test('loses the lead to a tab that is seen, and follows when it wakes', async () => {
    const browser = new HandTabs()
    const first = openTab(browser, 'first')
    const second = openTab(browser, 'second')
    await pass(5_000, first, second)
    await pass(14_000, second)
    expect([first.log, second.log]).toEqual([['leads', 'follows'], ['leads']])
    await pass(30_000, first, second)
    expect(second.log).toEqual(['leads'])
    second.tabs.stop()
    await settle()
    expect(first.log).toEqual(['leads', 'follows', 'leads'])
  })

  test('is left alone by a tab that nobody sees', async () => {
    const browser = new HandTabs()
    const first = openTab(browser, 'first')
    const second = openTab(browser, 'second')
    second.hand.isVisible = false
    await pass(60_000, second)
    expect([first.log, second.log]).toEqual([['leads'], []])
  })

  test('has its time to speak after all tabs have slept', async () => {
    const browser = new HandTabs()
    const first = openTab(browser, 'first')
    const second = openTab(browser, 'second')
    await pass(1_000, first, second)
    first.hand.now += 3_600_000
    second.hand.now += 3_600_000
    await second.hand.wake()
    await pass(5_000, second, first)
    expect([first.log, second.log]).toEqual([['leads'], []])
  })

  test('is followed by tabs that depose each other, until exactly one leads', async () => {
    const browser = new HandTabs()
    const tabs = ['a', 'b', 'c', 'd', 'e'].map((name) => openTab(browser, name))
    await pass(5_000, ...tabs)
    const awake = tabs.slice(1)
    for (const one of [awake, tabs]) {
      await pass(40_000, ...one)
      expect(tabs.filter((tab) => tab.tabs.isLeading)).toHaveLength(1)
      for (const { tabs: each, log } of tabs)
        expect(log).toEqual(each.isLeading ? ['leads'] : ['leads', 'follows'])
    }
  })
})

test('tabs of another store lead for themselves', async () => {
  const browser = new HandTabs()
  const one = openTab(browser, 'one')
  const other = openTab(browser, 'other', 'another store')
  await pass(60_000, one, other)
  expect([one.log, other.log]).toEqual([['leads'], ['leads']])
  expect([one.heard, other.heard]).toEqual([[], []])
})

test('a closed tab neither leads nor hears', async () => {
  const browser = new HandTabs()
  const first = openTab(browser, 'first')
  const second = openTab(browser, 'second')
  const third = openTab(browser, 'third')
  await settle()
  second.tabs.stop()
  second.heard.length = 0
  first.tabs.stop()
  third.tabs.say({ from: 'third' })
  await settle()
  expect([second.log, second.heard, third.log]).toEqual([[], [], ['leads']])
  expect(second.hand.timers).toBe(0)
})

test('leads alone where there are no locks', async () => {
  const log: string[] = []
  const tabs = new Tabs<Beat>({
    ...{ name: 'store', platform: new Hand().platform(undefined), beat: () => ({ from: 'x' }) },
    ...{ onMessage: () => {}, onLead: () => log.push('leads'), onDeposed: () => {} },
  })
  tabs.start()
  expect(log).toEqual(['leads'])
})

/** A store that several tabs share, as IndexedDB is. */
function shared(rows = new MemoryStore()): Store {
  return {
    kind: 'shared',
    read: (wanted) => rows.read(wanted),
    update: (wanted, decide) => rows.update(wanted, decide),
    count: () => rows.count(),
    reset: (state) => rows.reset(state),
    onLost: () => {},
    close: async () => {},
  }
}

/** Tabs of one browser. */
function browser() {
  const tabs = new HandTabs()
  const store = shared()
  const service = new PlainService()
  const open = (more: HandOptions = {}) =>
    handDevice({ hand: new Hand(), store, service, platform: tabs.platform(), ...more })
  return { open, service, store, tabs }
}

describe('a tab that does not lead', () => {
  test('edits, is told what became of it, and shows what the others do', async () => {
    const { open, service } = browser()
    const [leader, follower] = [await open(), await open()]
    expect([leader, follower].map(({ db }) => db.status.getSnapshot().leads)).toEqual([true, false])
    const edit = follower.db.collection('notes').put('a', { n: 1 })
    expect(await edit.synced).toEqual({ status: 'applied', version: 'one.1' })
    expect(service.count('/api/auth')).toBe(1)
    for (const { db } of [leader, follower]) expect(await contentOf(db)).toEqual({ a: { n: 1 } })
    await leader.db.collection('notes').put('b', { n: 2 })
    await settle()
    expect(await contentOf(follower.db)).toEqual({ a: { n: 1 }, b: { n: 2 } })
    expect(follower.db.status.getSnapshot()).toMatchObject({ online: true, pending: 0, leads: false })
  })

  test('is told of a rejection under its code', async () => {
    const { open, service } = browser()
    const [, follower] = [await open(), await open()]
    service.decide = ({ key }) => ({ result: { key, status: 'rejected', code: 'too-deep' } as never })
    const edit = follower.db.collection('notes').put('a', {})
    await expect(edit.synced).rejects.toMatchObject({ code: 'too-deep' })
    await settle()
    expect(follower.db.troubles.getSnapshot()).toMatchObject([{ code: 'too-deep' }])
  })

  test('syncs through the leader, and is told why that fails', async () => {
    const { open, service } = browser()
    const [leader, follower] = [await open(), await open()]
    service.write('notes/a', { n: 1 })
    await follower.db.sync()
    expect(await contentOf(follower.db)).toEqual({ a: { n: 1 } })
    service.answer = () => problem(403, 'forbidden-scope')
    await expect(follower.db.sync()).rejects.toMatchObject({ code: 'forbidden-scope' })
    expect(leader.db.status.getSnapshot().obstacle?.code).toBe('forbidden-scope')
  })

  test('that syncs before any tab leads waits for that', async () => {
    const { open, service, tabs } = browser()
    service.write('notes/a', { n: 1 })
    const lock = deferred<void>()
    void tabs.platform().locks.request('test', {}, () => lock.promise)
    const { db } = await open()
    const syncing = db.sync()
    expect(await stateOf(syncing)).toBe('pending')
    expect(db.status.getSnapshot().leads).toBe(false)
    lock.resolve()
    await syncing
    expect(await contentOf(db)).toEqual({ a: { n: 1 } })
  })

  test('takes over when the leader is closed in the middle of a push, which takes effect once', async () => {
    const { open, service } = browser()
    const [leader, follower] = [await open(), await open()]
    service.reanswer = (request) => (isPush(request) ? new Promise(() => {}) : undefined)
    const edit = follower.db.collection('notes').put('a', { n: 1 })
    await edit
    await settle()
    expect(await stateOf(edit.synced)).toBe('pending')
    service.reanswer = () => undefined
    await leader.db.close()
    expect(await edit.synced).toEqual({ status: 'applied', version: 'one.1' })
    expect(service.pushes).toEqual([['notes/a'], ['notes/a']])
    expect(follower.db.status.getSnapshot().leads).toBe(true)
  })
})

test('a leader that was frozen in the middle of a push writes nothing when it wakes', async () => {
  const { open, service, store } = browser()
  const leader = await open()
  let answer: (() => void) | undefined
  service.reanswer = (request) => {
    if (answer || !isPush(request)) return undefined
    return new Promise((resolve) => {
      answer = () => resolve(undefined)
    })
  }
  void leader.db.collection('notes').put('a', { n: 1 })
  await settle()
  const follower = await open()
  for (let second = 0; second < 14; second += 1) await follower.hand.pass(1_000)
  expect(follower.db.status.getSnapshot().leads).toBe(true)
  await follower.db.sync()
  await follower.db.collection('notes').put('a', { n: 2 }).synced
  const { state, entries } = await store.read({ prefix: '' })
  answer?.()
  await leader.hand.pass(1_000)
  const after = await store.read({ prefix: '' })
  expect(after.state).toMatchObject({ batch: state?.batch, clientId: state?.clientId, cursor: state?.cursor })
  expect(after.entries).toEqual(entries)
  expect(await contentOf(leader.db)).toEqual({ a: { n: 2 } })
  expect(leader.db.status.getSnapshot()).toMatchObject({ leads: false, obstacle: null })
})

test('a leader that slept while its user logged out has no term in the store of the next user', () => {
  const before = newState('ann', 1_000)
  const led = { ...before, term: before.term + 1 }
  const after = newState('ben', 2_000, 2_000)
  const leads = { ...after, term: after.term + 1 }
  expect(stateInTerm(found({ state: leads }), leads.term)).toEqual(leads)
  const inTermBefore = () => stateInTerm(found({ state: leads }), led.term)
  expect(inTermBefore).toThrow(expect.objectContaining({ code: 'deposed' }))
})

test('a trouble that is ended in one tab is ended in all', async () => {
  const { open, service } = browser()
  const [one, other] = [await open(), await open()]
  service.decide = ({ key }) => ({ result: { key, status: 'rejected', code: 'too-deep' } as never })
  await one.db.collection('notes').put('a', {})
  await one.db.sync()
  await settle()
  service.decide = () => undefined
  const troubles = [one, other].map(({ db }) => db.troubles.getSnapshot()[0])
  await Promise.all(troubles.map((trouble, n) => trouble?.retry({ n })))
  await one.db.sync()
  await settle()
  expect(service.pushes).toHaveLength(2)
  for (const { db } of [one, other]) expect(db.troubles.getSnapshot()).toEqual([])
})

test('a logout in one tab ends all, and shows nothing of the user any more', async () => {
  const { open, store, service } = browser()
  const [one, other] = [await open(), await open()]
  await one.db.collection('notes').put('a', { n: 1 }).synced
  const shown: number[] = []
  other.db.collection('notes').subscribe({}, (rows) => shown.push(rows.length))
  await settle()
  await other.db.logout()
  await settle()
  expect(await store.count()).toEqual({ entries: 0, edits: 0, outcomes: 0 })
  expect(shown.at(-1)).toBe(0)
  for (const { db } of [one, other])
    await expect(db.collection('notes').put('b', {})).rejects.toMatchObject({ code: 'closed' })
  expect(service.sessions.size).toBe(0)
})
