import type { Person } from './person.ts'

/** Controls that a keyboard must reach. */
const CONTROLS = 'a[href], button, input, select, textarea, summary, [tabindex="0"]'

/** Notes, in the page, which controls have had the focus. */
const WATCH = `globalThis.tabbing = (() => {
  const scope = document.querySelector('dialog[open]') ?? document
  const isUsable = (control) => control.checkVisibility() && control.tabIndex >= 0 && !control.disabled
  const waiting = new Set([...scope.querySelectorAll('${CONTROLS}')].filter(isUsable))
  const faults = []

  /** Whether one side of the ring around an element is inside all boxes that could clip it. */
  function showsRing(element) {
    const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(element)
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) return false
    const out = parseFloat(outlineWidth) + parseFloat(outlineOffset)
    const { left, top, right, bottom } = element.getBoundingClientRect()
    const sides = { left: left - out, top: top - out, right: -right - out, bottom: -bottom - out }
    const boxes = [{ left: 0, top: 0, right: innerWidth, bottom: innerHeight }]
    for (let parent = element.parentElement; parent; parent = parent.parentElement)
      if (getComputedStyle(parent).overflow !== 'visible') boxes.push(parent.getBoundingClientRect())
    return Object.entries(sides).some(([side, at]) =>
      boxes.every((box) => at >= (side === 'left' || side === 'top' ? box[side] : -box[side])))
  }

  return {
    waiting,
    look() {
      const element = document.activeElement
      if (waiting.delete(element) && !showsRing(element)) faults.push('no visible focus: ' + element.outerHTML)
      return waiting.size
    },
    end: () => [...faults, ...[...waiting].map((control) => 'not reached by Tab: ' + control.outerHTML)],
  }
})()`

/** Presses Tab through a page. Lists the controls that it does not reach, or that do not show that they have the focus. */
export async function tabFaults({ page, press }: Person): Promise<readonly string[]> {
  let left = Number(await page.run(`${WATCH}; tabbing.waiting.size`))
  // The focus may begin anywhere, and passes the browser's own controls on its way around.
  for (let steps = left * 2 + 10; steps > 0 && left > 0; steps -= 1) {
    await press('Tab')
    left = Number(await page.run('tabbing.look()'))
  }
  return (await page.run('tabbing.end()')) as readonly string[]
}
