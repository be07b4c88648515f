import { expect } from 'vitest'
import { DESK, type Look, lookAt, overhang } from '../../../support/browser/looks.ts'
import { type Operator, testInConsole, withConsole } from '../with-console.ts'
import { type Furniture, furnish, LONG_VERSION, SPACE } from './furniture.ts'

let furniture: Furniture

const console = withConsole({
  async prepare(opened) {
    furniture = await furnish(opened)
    furniture.tablet.stop()
  },
})

const HOME = `space/${encodeURIComponent(SPACE)}`
const PHONE: Look = { theme: 'light', width: 390 }
const SMALL_PHONE: Look = { theme: 'light', width: 320 }
const LONGEST_MS = 60_000

/** Functions that tell how the page lies. */
const RULER = `
  const linesOf = (node) => {
    const range = document.createRange()
    range.selectNodeContents(node)
    const boxes = [...range.getClientRects()].filter(({ width }) => width > 1).toSorted((a, b) => a.top - b.top)
    let end = -Infinity
    return boxes.filter(({ top, bottom }) => {
      const isNext = top >= end
      end = isNext ? bottom : Math.max(end, bottom)
      return isNext
    }).length
  }
  const textsIn = (node) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT)
    const texts = []
    while (walker.nextNode()) texts.push(walker.currentNode)
    return texts
  }
  const brokenIn = (node) => textsIn(node).flatMap((text) =>
    [...text.data.matchAll(/[^\\s-]+-?/g)].flatMap(({ 0: word, index }) => {
      const range = document.createRange()
      range.setStart(text, index)
      range.setEnd(text, index + word.length)
      return new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom))).size > 1 ? [word] : []
    }))
`

function measure({ page }: Operator, expression: string): Promise<unknown> {
  return page.run(`(() => { ${RULER}; return ${expression} })()`)
}

/** The words in elements that do not stand in one line. */
function brokenWords(operator: Operator, selector: string): Promise<unknown> {
  return measure(operator, `[...document.querySelectorAll('${selector}')].flatMap(brokenIn)`)
}

async function at(operator: Operator, look: Look, path: string): Promise<void> {
  await lookAt(operator.page, look)
  await operator.visit(path)
}

testInConsole(
  'keeps sizes, ages, scopes and names whole',
  async () => {
    const operator = await console.operator()
    for (const look of [DESK, PHONE]) {
      await at(operator, look, '')
      await expect.poll(() => operator.count('link', SPACE)).toBe(2)
      const figures = "[...document.querySelectorAll('.ranked li > :last-child')].map(linesOf)"
      expect(new Set((await measure(operator, figures)) as number[])).toEqual(new Set([1]))
      await at(operator, look, 'tokens')
      await operator.find('row', /Prometheus/)
      expect(await brokenWords(operator, 'td code, td time')).toEqual([])
      await at(operator, look, HOME)
      await operator.find('status', 'Live')
      expect(await brokenWords(operator, 'h1, .facts dd')).toEqual([])
    }
  },
  LONGEST_MS,
)

testInConsole(
  'shows the chosen policy of a collection in full',
  async () => {
    const operator = await console.operator()
    for (const look of [DESK, PHONE]) {
      await at(operator, look, 'config')
      await operator.find('combobox', 'Collection agreements')
      const cut = await measure(
        operator,
        `[...document.querySelectorAll('select')].filter((select) => {
      const { width } = select.getBoundingClientRect()
      const copy = select.parentElement.appendChild(select.cloneNode(true))
      copy.style.cssText = 'width: max-content; position: absolute'
      const whole = copy.getBoundingClientRect().width
      copy.remove()
      return width < whole
    }).length`,
      )
      expect(cut).toBe(0)
    }
  },
  LONGEST_MS,
)

testInConsole(
  'shows the outcome of each write on a phone',
  async () => {
    const operator = await console.operator()
    await at(operator, PHONE, HOME)
    await operator.find('status', 'Live')
    furniture.phone.put('notes/2026/0003', { title: 'seen on a phone' })
    await furniture.phone.sync()
    await operator.find('row', /notes\/2026\/0003 phone written$/)
    const right = "document.querySelector('.feed tbody td:last-child').getBoundingClientRect().right"
    const edge = "document.querySelector('.scroll').getBoundingClientRect().right"
    expect(await measure(operator, `${edge} - ${right}`)).toBeGreaterThanOrEqual(0)
    expect(
      await measure(
        operator,
        "document.querySelector('.scroll').scrollWidth - document.querySelector('.scroll').clientWidth",
      ),
    ).toBe(0)
  },
  LONGEST_MS,
)

testInConsole(
  'says on a phone who wrote the sides of a conflict, in a line for each',
  async () => {
    const operator = await console.operator()
    await at(operator, PHONE, `${HOME}/conflicts`)
    await operator.sees(/Loser\s+by phone/)
    const heads = "[...document.querySelector('.differences').tHead.rows[0].cells].map(linesOf)"
    expect(await measure(operator, heads)).toEqual([0, 1, 1, 1])
  },
  LONGEST_MS,
)

testInConsole(
  'marks the axis of the storage at powers of two',
  async () => {
    const operator = await console.operator('tokens')
    await operator.page.call('Page.addScriptToEvaluateOnNewDocument', {
      source: `globalThis.ticks = new Set()
      const { fillText } = CanvasRenderingContext2D.prototype
      CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
        ticks.add(String(text))
        return fillText.call(this, text, ...at)
      }`,
    })
    await operator.page.call('Page.reload')
    await operator.find('heading', 'Tokens')
    await operator.visit('')
    await operator.find('image', /^Storage: .* KiB/)
    const marks = async () =>
      ((await operator.page.run('[...ticks]')) as string[]).flatMap((tick) => {
        const [, amount] = /^([\d.]+) KiB$/.exec(tick) ?? []
        return amount === undefined ? [] : [Number(amount)]
      })
    await expect.poll(async () => (await marks()).length).toBeGreaterThan(1)
    const sorted = (await marks()).toSorted((a, b) => a - b)
    const distances = sorted.slice(1).map((mark, index) => mark - (sorted[index] ?? 0))
    expect(distances.filter((distance) => !Number.isInteger(Math.log2(distance)))).toEqual([])
  },
  LONGEST_MS,
)

testInConsole(
  'fits on a desk and on the smallest phone',
  async () => {
    const operator = await console.operator()
    for (const look of [DESK, PHONE, SMALL_PHONE]) {
      for (const [path, role, control] of [
        [`${HOME}/devices`, 'row', LONG_VERSION],
        ['config', 'combobox', 'Collection agreements'],
        ['audit', 'row', 'PUT /api/config'],
      ] as const) {
        await at(operator, look, path)
        const shown = () => operator.count(role, new RegExp(control))
        await expect.poll(shown, { timeout: 10_000 }).toBeGreaterThan(0)
        expect([path, look.width, ...(await overhang(operator.page))]).toEqual([path, look.width])
      }
    }
  },
  LONGEST_MS,
)

testInConsole(
  'lets no name turn the text after it around',
  async () => {
    const name = 'ann\u202e\u05d0'
    const phone = await console.device(name, 'phone')
    phone.put('notes/1', { title: 'milk' })
    await phone.sync()
    await console.reported(name)
    const operator = await console.operator()
    await operator.visit(`user/${encodeURIComponent(name)}`)
    await operator.sees(/as its user does/)
    const isInOrder = `(() => {
      const text = document.querySelector('.banner strong').nextSibling
      const range = document.createRange()
      const leftOf = (index) => {
        range.setStart(text, index)
        range.setEnd(text, index + 1)
        return range.getBoundingClientRect().left
      }
      return leftOf(1) < leftOf(4)
    })()`
    expect(await operator.page.run(isInOrder)).toBe(true)
  },
  LONGEST_MS,
)
