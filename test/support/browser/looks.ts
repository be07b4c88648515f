import { writeFile } from 'node:fs/promises'
import type { Page } from './chromium.ts'

const HEIGHT = 900
/** The most of a page that a picture shows, px. */
const MOST_HEIGHT = 4_000

/** How a page is looked at. */
export interface Look {
  readonly theme: 'light' | 'dark'
  /** In CSS pixels: a desk, a phone, or the narrowest screen that a page must fit. */
  readonly width: 1280 | 390 | 320
}

export const DESK: Look = { theme: 'light', width: 1280 }

export const LOOKS: readonly Look[] = [
  DESK,
  { theme: 'dark', width: 1280 },
  { theme: 'dark', width: 390 },
  { theme: 'light', width: 390 },
]

/** Gives a page another look, and waits until it is drawn. */
export async function lookAt(page: Page, { theme, width }: Look): Promise<void> {
  await page.call('Emulation.setDeviceMetricsOverride', {
    width,
    height: HEIGHT,
    deviceScaleFactor: 1,
    mobile: false,
  })
  const features = [
    { name: 'prefers-color-scheme', value: theme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]
  await page.call('Emulation.setEmulatedMedia', { features })
  // Observers of the size act in the first frame, and what they change is drawn in the next one.
  for (let frame = 0; frame < 2; frame += 1) await page.run('new Promise(requestAnimationFrame)')
}

/** Elements that reach past the right edge, if the page scrolls sideways. */
export async function overhang(page: Page): Promise<readonly string[]> {
  return (await page.run(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    const isWide = (element) => element.getBoundingClientRect().right > clientWidth + 1
    const wide = [...document.body.querySelectorAll('*')].filter(isWide)
    return ['the page is ' + scrollWidth + ' wide', ...wide.map((element) => element.outerHTML.slice(0, 160))]
  })()`)) as readonly string[]
}

/** Takes a picture of the whole page. A modal dialog and its backdrop only cover what is in view. */
export async function picture(page: Page, file: string): Promise<void> {
  const { width, height } = (await page.call('Page.getLayoutMetrics')).cssContentSize
  const clip = { x: 0, y: 0, width, height: Math.min(height, MOST_HEIGHT), scale: 1 }
  const isCovered = await page.run('document.querySelector("dialog[open]") !== null')
  const asked = { optimizeForSpeed: true, ...(!isCovered && { clip, captureBeyondViewport: true }) }
  const { data } = await page.call('Page.captureScreenshot', asked)
  await writeFile(file, Buffer.from(data, 'base64'))
}
