import type { Page } from './chromium.ts'
import { type Control, type Controls, controlsOf, type Words } from './controls.ts'
import { eventsOf } from './keys.ts'

/** Roles of an input for text. */
const INPUTS = ['textbox', 'searchbox']

/** Reads the chosen option of a select. */
const CHOSEN = 'return this.selectedOptions[0]?.text'

interface Place {
  readonly x: number
  readonly y: number
}

/** Finds the middle of an element, once the element rests and nothing covers it. */
const PLACE = `
  this.scrollIntoView({ block: 'nearest' })
  const before = this.getClientRects()[0]
  await new Promise(requestAnimationFrame)
  const now = this.getClientRects()[0]
  if (!before || !now || before.x !== now.x || before.y !== now.y) return
  const place = { x: now.x + now.width / 2, y: now.y + now.height / 2 }
  return this.contains(document.elementFromPoint(place.x, place.y)) ? place : undefined
`

/** Somebody who uses a page by mouse and keyboard. */
export interface Person extends Pick<Controls, 'find' | 'focused' | 'on' | 'read'> {
  readonly page: Page
  /** Counts the controls that have the role and the name now. */
  count(role: string, name?: Words, within?: Control): Promise<number>
  /** Waits until the page, or a control in it, shows a text. */
  sees(text: Words, within?: Control): Promise<void>
  /** Clicks, once the control is enabled, at rest and not covered. */
  click(role: string, name: Words, within?: Control): Promise<void>
  /** Replaces the text of an input. */
  fill(name: Words, text: string, within?: Control): Promise<void>
  /** Chooses an option of a select with the arrow keys. */
  choose(name: Words, option: string): Promise<void>
  /** Presses keys one after the other, such as `Tab`, `j`, `Shift+Tab` or `Control+Enter`. */
  press(...keys: readonly string[]): Promise<void>
  /** Types a text into the element that has the focus. */
  type(text: string): Promise<void>
}

export function personAt(page: Page): Person {
  const controls = controlsOf(page)
  const { all, find, on, read, wait } = controls

  async function click(role: string, name: Words, within?: Control): Promise<void> {
    const place = await wait(`a free ${role} ${name}`, async () => {
      const [control, ...others] = await all(role, name, within)
      if (!control || others.length > 0 || control.states['disabled']) return undefined
      return (await on(control, PLACE)) as Place | undefined
    })
    for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased'])
      await page.call('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 })
  }

  async function press(...keys: readonly string[]): Promise<void> {
    for (const event of keys.flatMap(eventsOf)) await page.call('Input.dispatchKeyEvent', event)
  }

  async function type(text: string): Promise<void> {
    await page.call('Input.insertText', { text })
  }

  return {
    page,
    ...controls,
    count: async (role, name = /^/, within) => (await all(role, name, within)).length,
    async sees(text, within) {
      await wait(`the text ${text}`, async () => holds(text, await read(within)) || undefined)
    },
    click,
    async fill(name, text, within) {
      const role = await wait(`an input ${name}`, async () => {
        for (const kind of INPUTS) if ((await all(kind, name, within)).length > 0) return kind
      })
      await click(role, name, within)
      await press('Control+a')
      await (text === '' ? press('Delete') : type(text))
    },
    async choose(name, option) {
      const select = await find('combobox', name)
      await page.call('DOM.focus', { backendNodeId: select.element })
      await press('Home')
      let before: unknown
      for (let chosen = await on(select, CHOSEN); chosen !== option; chosen = await on(select, CHOSEN)) {
        if (chosen === before) throw new Error(`no option ${option} in ${name}`)
        before = chosen
        await press('ArrowDown')
      }
    },
    press,
    type,
  }
}

function holds(words: Words, text: string): boolean {
  return typeof words === 'string' ? text.includes(words) : words.test(text)
}
