/** Horizontal bars in groups, each with its spread. Drawn by hand: a library for plots would be larger than the bench. */
export interface Plot {
  readonly title: string
  /** The value at which a line is drawn. */
  readonly mark: number
  readonly groups: readonly Group[]
}

export interface Group {
  readonly title: string
  readonly bars: readonly Bar[]
}

export interface Bar {
  readonly label: string
  readonly low: number
  readonly middle: number
  readonly high: number
  /** Whether the bar is the subject of the plot. */
  readonly ours: boolean
}

export type Theme = 'light' | 'dark'

const COLOURS = {
  light: { text: '#1f2328', faint: '#818b98', ours: '#0969da', others: '#afb8c1' },
  dark: { text: '#f0f6fc', faint: '#9198a1', ours: '#4493f8', others: '#656c76' },
}

const [WIDTH, LABELS, VALUES, ROW, GAP, TOP] = [760, 230, 150, 18, 30, 40]

/** Draws a plot on a transparent ground. */
export function svgOf({ title, mark, groups }: Plot, theme: Theme): string {
  const { text, faint } = COLOURS[theme]
  const most = Math.max(mark, ...groups.flatMap(({ bars }) => bars.map(({ high }) => high)))
  const scale = (WIDTH - LABELS - VALUES) / most
  let top = TOP
  const parts = groups.map((group) => {
    const drawn = drawGroup(group, { top, scale, theme })
    top += GAP + group.bars.length * ROW
    return drawn
  })
  const at = LABELS + mark * scale
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="${text}">`,
    `<title>${escaped(title)}</title>`,
    `<text x="0" y="18" font-size="14" font-weight="600">${escaped(title)}</text>`,
    `<line x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP}" y2="${top}" stroke="${faint}" stroke-dasharray="3 3"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

interface Place {
  readonly top: number
  /** Pixels of one unit. */
  readonly scale: number
  readonly theme: Theme
}

function drawGroup({ title, bars }: Group, place: Place): string {
  const head = `<text x="0" y="${place.top + 14}" fill="${COLOURS[place.theme].faint}">${escaped(title)}</text>`
  const rows = bars.map((bar, index) => drawBar(bar, { ...place, top: place.top + 20 + index * ROW }))
  return [head, ...rows].join('\n')
}

function drawBar({ label, low, middle, high, ours }: Bar, { top, scale, theme }: Place): string {
  const colours = COLOURS[theme]
  const x = (value: number) => (LABELS + value * scale).toFixed(1)
  const y = top + ROW / 2
  const value = `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
  return [
    `<text x="${LABELS - 8}" y="${y + 4}" text-anchor="end">${escaped(label)}</text>`,
    `<rect x="${LABELS}" y="${top + 3}" width="${(middle * scale).toFixed(1)}" height="${ROW - 6}" fill="${ours ? colours.ours : colours.others}"/>`,
    `<line x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}" stroke="${colours.text}"/>`,
    `<text x="${(Number(x(high)) + 8).toFixed(1)}" y="${y + 4}">${value}</text>`,
  ].join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
